"""What one asks of a trained model."""

import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

import kfer
from kfer.errors import UserError
from kfer.evaluation import scoring
from tests import runs
from tests.python.small import model


@pytest.fixture(scope="module")
def raw():
    """The test pictures as uint8."""
    return np.stack([runs.pixels(data) for data in runs.encoded()])


class TestPredict:
    def test_answers_by_target(self, raw):
        expected = runs.answering().answers(runs.images())
        found = model().predict(raw, batch_size=7)
        assert {name: v.shape for name, v in found.items()} == {
            "expression": (20, 7),
            "valence_arousal": (20, 2),
        }
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-5)
        assert len(set(found["expression"].argmax(1))) > 2
        assert model().targets["valence_arousal"] == ("valence", "arousal")

    def test_prepared_pictures_and_none(self, raw):
        found = model().predict(raw[:3])
        for same in (
            model().predict(runs.images()[:3]),
            model()(runs.images()[:3]),
            model().predict(tf.data.Dataset.from_tensors(runs.images()[:3]), verbose=0),
        ):
            for name, value in found.items():
                np.testing.assert_allclose(same[name], value, rtol=1e-4, atol=1e-5)
        assert model().predict([])["expression"].shape == (0, 7)

    def test_one_picture(self, raw, tmp_path):
        path = tmp_path / "a.png"
        tf.io.write_file(str(path), tf.io.encode_png(raw[2]))
        found = model().predict(str(path))["expression"]
        np.testing.assert_array_equal(found, model().predict([path])["expression"])
        assert found.shape == (1, 7)
        with pytest.raises(UserError, match="give a single picture as .picture."):
            model().predict(raw[2])


class TestEvaluate:
    def test_a_data_set(self):
        found = model().evaluate(runs.dataset())
        plain = scoring.evaluate(runs.answering(), runs.dataset(), runs.run_config())
        for name, row in plain.items():
            assert found[name] == row | {"split": "test", "against": "truth"}

    def test_pictures_and_labels(self, raw):
        said = model().predict(raw)["expression"].argmax(1)
        names = np.array(model().targets["expression"], object)[said]
        names[:4] = ""  # unknown
        names[4] = names[5] = "fear"
        right = np.mean([0, 0, *([1] * 14)] | (said[4:] == 4))
        row = model().evaluate(raw, {"expression": names})["expression"]
        assert (row["num_examples"], row["accuracy"]) == (16, pytest.approx(right))
        values = model().predict(raw)["valence_arousal"]
        row = model().evaluate(raw, {"valence_arousal": values})["valence_arousal"]
        assert row["rmse"] == pytest.approx(0, abs=1e-6)

    @pytest.mark.parametrize(
        "labels, text",
        [
            (None, "evaluate takes a data set, or pictures and labels by target: expr"),
            ([0], "evaluate takes a data set, or pictures and labels by target: expr"),
            ({"mood": [0]}, "answers .'expression', 'valence_arousal'., not 'mood'"),
            (
                {"expression": ["glad"]},
                "expression has 'glad', which is none of .'neutral",
            ),
            (
                {"expression": [0, 1]},
                "1 pictures need labels .1. of 'expression'; got .2",
            ),
            ({"expression": [7]}, "expression has the number 7; classes are 0 to 6"),
        ],
    )
    def test_what_does_not_fit(self, raw, labels, text):
        with pytest.raises(UserError, match=text):
            model().evaluate(raw[:1], labels)


class TestSave:
    @pytest.fixture(scope="class")
    def path(self, tmp_path_factory):
        path = tmp_path_factory.mktemp("saved") / "m.keras"
        model().save(path)
        return str(path)

    def test_what_is_loaded_is_the_same(self, path, raw):
        again = kfer.load(path)
        assert isinstance(again, keras.Model) and isinstance(again, kfer.Model)
        assert again.run == model().run and again.origin == model().origin
        for name, value in model().predict(raw).items():
            np.testing.assert_array_equal(again.predict(raw)[name], value)
        assert again.annotators().equals(model().annotators())
        assert list(again.curves()["step"]) == [4, 8, 12]
        assert os.listdir(os.path.dirname(path)) == ["m.keras"]
        # without what only training needs: 4 bytes a number and some names
        numbers = sum(np.prod(v.shape) for v in model().weights)
        assert os.path.getsize(path) < 4 * numbers + 200_000

    def test_an_older_file_stays_where_that_is_asked_for(self, path):
        with pytest.raises(UserError, match="is there already; overwrite=True"):
            model().save(path, overwrite=False)
        with pytest.raises(UserError, match="saved as NAME.keras, not 'm.h5'"):
            model().save("m.h5")
        with pytest.raises(UserError, match="/no/m.keras"):
            model().save("/no/m.keras")


def test_fit_says_where_training_is():
    with pytest.raises(UserError, match="kfer.fit trains one anew, or goes on in its"):
        model().fit(runs.dataset())


def test_export_serves_what_predict_says(tmp_path, raw):
    path = str(tmp_path / "served" / "1")
    made = model().export(path)
    assert made.path == path and made.calibration == {}
    found = kfer.Predictor(path).answers(dict(enumerate(runs.encoded())))
    said = model().predict(raw)["expression"]
    served = [list(found[i]["expression"]["probabilities"].values()) for i in range(20)]
    np.testing.assert_allclose(served, said, rtol=1e-3, atol=1e-4)
    with pytest.raises(UserError, match="already holds a model.*, overwrite=True"):
        model().export(path)

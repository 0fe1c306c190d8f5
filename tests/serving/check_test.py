"""A model that serves passes; a damaged or another one stops the pipeline."""

import os
import shutil

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import check, export
from tests import runs


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("checked") / "model")
    export.export_run(runs.run(), folder)
    return folder


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """What the trained method itself says of the test split."""
    path = str(tmp_path_factory.mktemp("predictions") / scoring.PREDICTIONS)
    scoring.evaluate_run(runs.run(), runs.dataset().root, predictions_path=path)
    return path


def test_a_good_model(model, predictions):
    found = check.check(model, runs.dataset().root, predictions)
    assert found == ["serving_default", "predict_images", "predict_examples"]


def test_another_model_than_was_trained(model, predictions, tmp_path, monkeypatch):
    parts = scoring.read_predictions(predictions)
    wrong = parts["expression"].prediction.copy()
    wrong[3] = wrong[3][::-1]
    parts["expression"] = parts["expression"]._replace(prediction=wrong)
    path = str(tmp_path / "wrong.npz")
    scoring.write_predictions(path, parts)
    # The answers of a fresh process, asked for above already.
    monkeypatch.setattr(
        check,
        "_in_fresh_process",
        lambda folder, requests: {
            name: check._call(check.model_folder.load(folder), name, r)
            for name, r in requests.items()
        },
    )
    with pytest.raises(UserError, match="beside the trained method gives another expr"):
        check.check(model, runs.dataset().root, path)


def test_temperatures_are_applied(model, predictions, monkeypatch):
    """Of T = 2, probabilities are as their square roots."""
    monkeypatch.setattr(
        check.model_folder,
        "read_description",
        lambda folder: {"calibration": {"expression": {"temperature": 2.0}}},
    )
    parts = scoring.read_predictions(predictions)
    found = check._expected(predictions, model)
    roots = np.sqrt(parts["expression"].prediction[:8])
    wanted = roots / roots.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found["expression"], wanted, rtol=1e-5)
    values = parts["valence_arousal"].prediction[:8]
    np.testing.assert_array_equal(found["valence_arousal"], values)


def test_a_fresh_process_that_answers_otherwise(model, monkeypatch):
    def shifted(folder, requests):
        loaded = check.model_folder.load(folder)
        found = {n: check._call(loaded, n, r) for n, r in requests.items()}
        found["predict_images"]["valence_arousal"] += 1e-3
        return found

    monkeypatch.setattr(check, "_in_fresh_process", shifted)
    with pytest.raises(
        UserError, match="predict_images in a fresh process gives anoth"
    ):
        check.check(model, runs.dataset().root)


def test_a_damaged_model(model, tmp_path):
    broken = str(tmp_path / "broken")
    shutil.copytree(model, broken)
    with open(os.path.join(broken, "saved_model.pb"), "r+b") as file:
        file.truncate(1000)
    with pytest.raises(UserError, match="is damaged"):
        check.check(broken, runs.dataset().root)


def test_requests_for_inputs_of_any_shape():
    zeros = check._zeros("float32 [batch, 3, 2]", 4)
    assert zeros.shape == (4, 3, 2) and zeros.dtype == np.float32
    assert check._zeros("int32 [batch]", 4).tolist() == [0, 0, 0, 0]

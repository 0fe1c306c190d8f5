"""Every face of a picture gets the answer that the model gives to its crop."""

import numpy as np
import pytest
from PIL import Image
from skimage import data

from kfer.errors import UserError
from kfer.faces import framing
from kfer.faces.detectors import Detector
from kfer.faces.face import Face
from kfer.serving import answer_text, export, faces, predict
from tests import runs


@pytest.fixture(scope="module")
def method():
    return runs.method(runs.run_config())


@pytest.fixture(scope="module")
def predictor(method, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("faces") / "model")
    export.export_model(method, method.config, path)
    return predict.Predictor(path, batch_size=2)


def save(path, image):
    Image.fromarray(image).save(path)
    return str(path)


@pytest.fixture
def pictures(tmp_path):
    """One face, two faces, none, and no picture."""
    (tmp_path / "bad.png").write_text("no picture")
    astronaut = data.astronaut()
    return [
        save(tmp_path / "one.png", astronaut),
        save(tmp_path / "two.png", np.concatenate([astronaut, astronaut], axis=1)),
        save(tmp_path / "none.png", data.coffee()),
        str(tmp_path / "bad.png"),
    ]


@pytest.mark.parametrize("kind", [framing.AS_GIVEN, framing.LANDMARKS])
def test_one_row_a_face_none_for_a_cup_and_an_error(predictor, method, pictures, kind):
    rows = list(faces.FacePredictor(predictor, kind).predict(pictures))
    names = [row["path"].rsplit("/", 1)[1] for row in rows]
    assert names == ["one.png", "two.png", "two.png", "none.png", "bad.png"]
    assert [row.get("face") for row in rows] == [0, 0, 1, None, None]
    assert rows[3] == {"path": pictures[2], "no_face": "no face found"}
    assert rows[4]["error"].startswith("not an image")
    # The second astronaut stands 512 px further right.
    lefts = sorted(row["box"][0] for row in rows[1:3])
    assert lefts[1] - lefts[0] == pytest.approx(512, abs=6)


def test_a_detector_that_would_find_nothing_is_refused(predictor):
    # the model says nothing of faces
    assert faces.framing_of(predictor) == ("none", "mtcnn")
    assert faces.framing_of(predictor, "as_given", "yuface") == ("as_given", "yuface")
    for kind in (None, "none"):
        with pytest.raises(UserError, match="yuface has nothing to do"):
            faces.framing_of(predictor, kind, "yuface")


@pytest.mark.parametrize("kind", [framing.AS_GIVEN, framing.LANDMARKS])
def test_the_answer_is_the_models_for_the_crop(predictor, method, pictures, kind):
    (row,) = faces.FacePredictor(predictor, kind).predict(pictures[:1])
    (face,) = Detector().detect(data.astronaut())
    crop = framing.crop(data.astronaut(), face, kind, method.config.image_size)
    expected = method.answers(crop[None] / np.float32(127.5) - 1)
    np.testing.assert_allclose(
        list(row["expression"]["probabilities"].values()),
        expected["expression"][0],
        atol=1e-5,
    )


def test_a_face_without_eyes_is_told_and_others_are_answered(
    predictor, pictures, monkeypatch
):
    """Five faces in requests of two; the second has no eyes."""
    eyes = ((200.0, 100.0), (246.0, 102.0))
    found = [Face((170.0, 60.0, 90.0, 110.0), eyes, 0.9)] * 5
    found[1] = found[1]._replace(landmarks=())
    finder = faces.FacePredictor(predictor, framing.LANDMARKS)
    monkeypatch.setattr(finder, "detect", lambda image: found)
    rows = list(finder.predict(pictures[:1]))
    assert [row["face"] for row in rows] == [0, 1, 2, 3, 4]
    assert rows[1]["error"] == "no eyes found, so it can't be aligned"
    assert all(("expression" in row) == (row["face"] != 1) for row in rows)
    (text,) = answer_text.pieces("table", [rows], predictor.targets)
    line = text.splitlines()[2]
    assert line.endswith("face 1  error: no eyes found, so it can't be aligned")


def test_whole_pictures_have_no_faces(predictor):
    with pytest.raises(UserError, match="Framing 'none' has no faces; as_given"):
        faces.FacePredictor(predictor, framing.NONE)


def test_no_face_is_a_cell_of_the_table(predictor, pictures):
    finder = faces.FacePredictor(predictor, framing.AS_GIVEN)
    rows = list(finder.predict(pictures[2:3]))
    (text,) = answer_text.pieces("table", [rows], predictor.targets)
    assert text.splitlines()[1] == f"{pictures[2]}  no face found"

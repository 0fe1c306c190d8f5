import io
import os
import pathlib

import numpy as np
import pytest
from PIL import Image

from kfer.errors import UserError
from kfer.images.decode import BadImage
from kfer.serving import export, predict
from tests import runs
from tests.serving import older_model


@pytest.fixture(scope="module")
def method():
    return runs.method(runs.run_config())


@pytest.fixture(scope="module")
def model(method, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("predict") / "model")
    export.export_model(method, method.config, path)
    return path


@pytest.fixture(scope="module")
def predictor(model):
    return predict.Predictor(model, batch_size=4)


@pytest.fixture
def faces(tmp_path):
    """The test pictures as files a00.png .. a19.png."""
    for index, data in enumerate(runs.encoded()):
        (tmp_path / f"a{index:02d}.png").write_bytes(data)
    return tmp_path


def save(path, image: np.ndarray, **options) -> str:
    Image.fromarray(image).save(path, **options)
    return str(path)


def test_answers_are_the_models_in_memory(predictor, method, faces):
    rows = predictor.predict(predict.expand([str(faces)]))  # 5 requests of 4
    expected = method.answers(runs.images())
    assert [os.path.basename(row["path"]) for row in rows[:2]] == ["a00.png", "a01.png"]
    assert len(rows) == 20
    names = method.config.tasks[0].classes
    for index, row in enumerate(rows):
        probabilities = expected["expression"][index].numpy()
        found = row["expression"]
        assert found["class"] == names[probabilities.argmax()]
        assert found["confidence"] == pytest.approx(probabilities.max(), abs=1e-5)
        assert list(found["probabilities"]) == list(names)
        np.testing.assert_allclose(
            list(found["probabilities"].values()), probabilities, atol=1e-5
        )
        values = expected["valence_arousal"][index].numpy()
        assert row["valence_arousal"] == pytest.approx(
            {"valence": values[0], "arousal": values[1]}, abs=1e-5
        )


def test_a_model_older_than_its_status_answers_for_the_good_ones(tmp_path):
    found = predict.Predictor(older_model.write(tmp_path / "old"))
    good = runs.encoded()[:2]
    rows = found.answers({0: good[0], 1: b"no picture", 2: good[1]})
    assert rows[1] == {"error": "not an image: starts with b'no pictu'"}
    for row, wanted in ((0, 0), (2, 1)):
        shares = list(rows[row]["expression"]["probabilities"].values())
        wanted = runs.expected()["expression"][wanted]
        np.testing.assert_allclose(shares, wanted, atol=1e-4)


def test_bad_pictures_have_errors_and_the_others_answers(predictor, faces):
    good = (faces / "a00.png").read_bytes()
    (faces / "half.png").write_bytes(good[: len(good) // 2])
    (faces / "empty.jpg").write_bytes(b"")
    (faces / "text.jpg").write_text("no picture")
    names = ["a00.png", "half.png", "text.jpg", "none.png", "empty.jpg", "a01.png"]
    rows = predictor.predict([str(faces / name) for name in names])
    errors = [row.get("error", "") for row in rows]
    assert errors[0] == errors[5] == ""
    assert errors[1].startswith("truncated or corrupt image: ")
    assert errors[2] == "not an image: starts with b'no pictu'"
    assert errors[3] == "missing file: no such file"
    assert errors[4] == "zero bytes: the file holds no bytes"
    alone = predictor.predict([str(faces / "a00.png"), str(faces / "a01.png")])
    for row, expected in zip((rows[0], rows[5]), alone):
        assert row["expression"]["class"] == expected["expression"]["class"]
        assert row["valence_arousal"] == pytest.approx(
            expected["valence_arousal"], abs=1e-5
        )


def test_plain_pictures_are_sent_as_they_are(tmp_path):
    pixels = runs.pixels(runs.encoded()[0])
    for name, image in (
        ("a.png", pixels),
        ("a.jpg", pixels),
        ("l.png", pixels[..., 0]),
    ):
        path = save(tmp_path / name, image)
        with open(path, "rb") as file:
            assert predict.read_picture(path) == file.read()


def shown(path: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(predict.read_picture(path))))


def test_pictures_are_turned_upright(tmp_path):
    pixels = runs.pixels(runs.encoded()[0])
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    path = save(tmp_path / "a.png", pixels[::-1, ::-1], exif=exif)
    np.testing.assert_array_equal(shown(path), pixels)


def test_transparency_is_laid_over_black_and_other_formats_are_read(tmp_path):
    pixels = runs.pixels(runs.encoded()[0])
    alpha = np.full((32, 32, 1), 255, np.uint8)
    alpha[:16] = 0
    path = save(tmp_path / "a.png", np.concatenate([pixels, alpha], axis=2))
    found = shown(path)
    assert (found[:16] == 0).all()
    np.testing.assert_array_equal(found[16:], pixels[16:])
    for name in ("a.bmp", "a.tif"):
        np.testing.assert_array_equal(shown(save(tmp_path / name, pixels)), pixels)


def test_large_files_are_not_read(tmp_path):
    path = save(tmp_path / "a.png", runs.pixels(runs.encoded()[0]))
    limits = predict.decode.Limits(max_bytes=100)
    with pytest.raises(BadImage, match=r"image too large: .* at most 100 are read"):
        predict.read_picture(path, limits)


def test_folders_expand_to_their_pictures(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "sub").mkdir()
    found = predict.expand(["x.png", str(tmp_path), "y"])
    assert found == ["x.png", str(tmp_path / "a.jpg"), str(tmp_path / "b.PNG"), "y"]
    with pytest.raises(UserError, match=r"sub holds no picture \(\.jpg"):
        predict.expand([str(tmp_path / "sub")])


def test_what_is_no_model_is_said(tmp_path):
    with pytest.raises(UserError, match=r"is no kfer model: .* kfer-export --run=DIR"):
        predict.Predictor(str(tmp_path))


def test_a_folder_stands_for_the_pictures_of_its_folders_too(tmp_path):
    (tmp_path / "b" / "deep").mkdir(parents=True)
    for name in ("c.png", "b/x.JPG", "b/deep/y.png", "b/notes.txt"):
        (tmp_path / name).touch()
    expected = ["b/deep/y.png", "b/x.JPG", "c.png"]
    assert predict.expand([str(tmp_path)]) == [str(tmp_path / n) for n in expected]


def test_a_pattern_stands_for_what_it_fits(tmp_path):
    (tmp_path / "b" / "deep").mkdir(parents=True)
    for name in ("a.jpg", "b/x.jpg", "b/deep/y.jpg", "b/deep/z.HEIC", "[1].jpg"):
        (tmp_path / name).touch()

    def found(pattern):
        paths = predict.expand([str(tmp_path / pattern)])
        return [str(pathlib.Path(path).relative_to(tmp_path)) for path in paths]

    assert found("*/*.jpg") == ["b/x.jpg"]
    assert found("**/?.jpg") == ["a.jpg", "b/deep/y.jpg", "b/x.jpg"]
    assert found("b/d*") == ["b/deep/y.jpg", "b/deep/z.HEIC"]
    assert found("[1].jpg") == ["[1].jpg"]
    with pytest.raises(UserError, match=r"The pattern .*\*\.gif fits no file"):
        found("*.gif")

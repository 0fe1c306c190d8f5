"""One model in three formats, and where a model is found."""

import os

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.serving import asking, export, model_folder, publish
from tests import runs


@pytest.fixture(scope="module")
def method():
    return runs.method(runs.run_config())


@pytest.fixture(scope="module")
def folders(method, tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    export.export_model(method, method.config, str(root / "saved_model"))
    for form in ("onnx", "tflite"):
        export.export_converted(method, method.config, str(root / form), form)
    return root


@pytest.mark.parametrize("form", ["saved_model", "onnx", "tflite"])
def test_every_format_answers_for_encoded_pictures_and_crops(folders, method, form):
    model = asking.Model(str(folders / form))
    expected = method.answers(runs.images())
    crops = np.stack([runs.pixels(data) for data in runs.encoded()])
    for found in (model.encoded(runs.encoded()), model.crops(crops)):
        for target, values in expected.items():
            np.testing.assert_allclose(found[target], values, atol=2e-5)


@pytest.mark.parametrize("form", ["saved_model", "onnx"])
def test_no_picture_is_told(folders, form):
    model = asking.Model(str(folders / form))
    found = model.encoded([runs.encoded()[0], b"no picture"])
    assert model_folder.faults(found) == {1: "no whole JPEG or PNG picture"}


def test_a_run_folder_stands_for_its_model(folders, tmp_path):
    model = str(folders / "saved_model")
    (tmp_path / "config.json").write_text("{}")
    os.symlink(model, tmp_path / "model")
    assert asking.find_model(str(tmp_path)) == str(tmp_path / "model")
    assert asking.find_model(model) == model


def test_a_base_stands_for_its_newest_version(folders, tmp_path):
    base = tmp_path / "faces"
    for _ in range(10):  # as text, '9' is after '10'
        newest = publish.publish(str(folders / "onnx"), str(base))
    assert asking.find_model(str(base)) == newest == str(base / "10")
    os.rename(base / "10", base / "0010")
    assert asking.find_model(str(base)) == str(base / "0010")
    (base / "11").mkdir()
    with pytest.raises(UserError, match=r"11, the newest version there, is no kfer"):
        asking.find_model(str(base))

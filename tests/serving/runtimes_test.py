import os
import shutil
import sys

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import export, model_folder, runtimes
from tests import runs


@pytest.mark.parametrize("form", model_folder.FILES)
def test_every_format_answers_alike(form):
    if form == "onnx":
        pytest.importorskip("onnxruntime", reason="kfer[convert] is not installed")
        pytest.importorskip("tf2onnx", reason="kfer[convert] is not installed")
    found = runtimes.load(runs.model(form), threads=1)(runs.images())
    for target, wanted in runs.expected().items():
        np.testing.assert_allclose(found[target], wanted, atol=1e-4)


def test_a_row_that_is_no_answer_is_never_scored():
    images = runs.images()[:3]
    images[1, 0, 0, 0] = 1.01
    with pytest.raises(ValueError, match=r"lie in \[-1, 1\]; not at index \[1\]"):
        runtimes.load(runs.model())(images)


def test_evaluation_takes_every_format():
    scores = {}
    for form in ("saved_model", "tflite"):
        config, answers = export.load_answers(runs.model(form))
        predictions = scoring.collect(answers, runs.dataset(), config)
        scores[form] = scoring.scores(config, predictions)
    first, second = scores.values()
    assert first["expression"]["accuracy"] == second["expression"]["accuracy"]
    assert first["expression"]["ece"] == pytest.approx(second["expression"]["ece"])


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_a_damaged_file_is_said(form, tmp_path):
    if form == "onnx":
        pytest.importorskip("onnxruntime", reason="kfer[convert] is not installed")
    shutil.copytree(os.path.join(runs.model(), "assets"), tmp_path / "assets")
    (tmp_path / f"model.{form}").write_bytes(b"\x01broken" * 9)
    with pytest.raises(UserError, match=rf"model\.{form} is damaged .*export it again"):
        runtimes.load(str(tmp_path))


def test_a_missing_runtime_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    shutil.copytree(os.path.join(runs.model(), "assets"), tmp_path / "assets")
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(UserError, match=r"needs onnxruntime, .*kfer\[convert\]"):
        runtimes.load(str(tmp_path))


def test_pictures_need_a_saved_model(tmp_path):
    with pytest.raises(UserError, match=r"in tflite, which has no signature"):
        model_folder.load(runs.model("tflite"))


@pytest.mark.filterwarnings("error::UserWarning")
def test_loading_warns_of_nothing():
    runtimes.load(runs.model("tflite"))


@pytest.mark.parametrize("quantize", (False, True))
def test_no_picture_gets_no_answer(quantize):
    answers = runtimes.load(runs.model("tflite", quantize), threads=1)
    none = np.zeros((0, 32, 32, 3), np.float32)
    assert {n: v.shape for n, v in answers(none).items()} == {
        "expression": (0, 7),
        "valence_arousal": (0, 2),
    }
    assert len(answers(runs.images())["expression"]) == len(runs.images())

import os
import re

import pytest

from kfer.serving import model_folder, publish
from tests import runs
from tests.bin.processes import run as run_command


def run(*arguments):
    return run_command("export", *arguments)


def test_a_run_is_exported(tmp_path):
    out_dir, base = tmp_path / "model", tmp_path / "served"
    status, out, err = run(
        f"--run={runs.run()}",
        f"--out_dir={out_dir}",
        f"--publish={base}",
        "--test_averaging=flip",
    )
    assert status == 0, err
    assert out.startswith(f"{out_dir}: ") and " parameters\n" in out
    assert f"\nPublished as {base / '1'}\n" in out
    assert re.search(
        r"\nexpression: confidence .* on 24 examples of train \(label", out
    )
    assert re.search(r"\nLatency here: batch 1 [\d.]+ ms .*, batch 64 [\d.]+ ms", out)
    assert "\nserving_default:\n  <- image_bytes: string [batch]\n" in out
    described = model_folder.read_description(str(out_dir))
    assert described["step"] == runs.STEP
    assert described["config"]["optimization"]["test_averaging"] == "flip"
    assert described["calibration"]["expression"]["split"] == "train"
    assert model_folder.read_description(str(base / "1")) == described
    lock = ".served.publish.lock"  # beside what a server watches
    assert sorted(os.listdir(tmp_path)) == [lock, "model", "served"]


@pytest.mark.slow
def test_a_run_is_published_without_another_copy(tmp_path):
    base = tmp_path / "served"
    before = set(os.listdir(runs.run()))
    for number in ("1", "2"):
        arguments = (f"--publish={base}", "--calibrate_on=none")
        status, out, err = run(f"--run={runs.run()}", *arguments)
        assert status == 0, err
        assert out.startswith(f"{base / number}: ")
    assert publish.versions(str(base)) == [1, 2]
    assert model_folder.read_description(str(base / "2"))["calibration"] == {}
    assert set(os.listdir(runs.run())) == before


@pytest.mark.slow
def test_the_loss_of_quantisation_is_stated(tmp_path):
    arguments = ("--format=tflite", "--quantize", f"--out_dir={tmp_path / 'm'}")
    status, out, err = run(f"--run={runs.run()}", *arguments)
    assert status == 0, err
    assert re.search(
        r"\ntest, as trained, not calibrated: expression: accuracy [\d.]+ %", out
    )
    assert re.search(r"\ntest, quantized: expression: accuracy [\d.]+ %", out)
    described = model_folder.read_description(str(tmp_path / "m"))
    assert (described["format"], described["quantized"]) == ("tflite", True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["x"], "kfer-export takes flags only, got 'x'"),
        (["--run=r", "--quantize"], "--quantize is for --format=tflite"),
        (
            ["--run=r", "--format=onnx", "--publish=b"],
            "--publish is for --format=saved_model",
        ),
        (["--run=r", "--format=onnx"], "--format=onnx needs an --out_dir"),
        (
            ["--run=r", "--publish=b", "--overwrite"],
            "--overwrite needs an --out_dir: versions are never replaced",
        ),
        (["--run=/nowhere"], "/nowhere is no run folder: it has no config.json"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, text):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"kfer-export: error: {text}") and err.count("\n") == 1


def test_a_taken_place_is_status_2(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    status, _, err = run(f"--run={runs.run()}", f"--out_dir={tmp_path}", "--overwrite")
    assert status == 2 and "holds files that are no kfer model" in err


def test_help_tells_how():
    status, out, _ = run("--help")
    assert status == 0
    assert "kfer-export --run=DIR" in out and "--[no]with_decoder" in out

import os

import pytest

from kfer import model_folder
from tests import runs
from tests.bin.processes import run as run_command


def run(*arguments):
    return run_command("export", *arguments)


def test_a_run_is_exported(tmp_path):
    out_dir = tmp_path / "model"
    status, out, err = run(f"--run={runs.run()}", f"--out_dir={out_dir}")
    assert status == 0, err
    assert out.startswith(f"{out_dir}: ") and " MB, 42 variables\n" in out
    assert "\nserving_default:\n  <- image_bytes: string [batch]\n" in out
    described = model_folder.read_description(str(out_dir))
    assert described["step"] == runs.STEP
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["x"], "kfer-export takes flags only, got 'x'"),
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

import json

import pytest

from kfer.evaluation import scoring
from tests import runs
from tests.bin.processes import run as run_command


def run(*arguments):
    return run_command("evaluate", *arguments)


def test_a_run_is_scored_and_written(tmp_path):
    out_path, npz = tmp_path / "m.json", tmp_path / "p.npz"
    status, out, err = run(
        f"--run={runs.run()}",
        f"--out={out_path}",
        f"--predictions={npz}",
        "--test_averaging=flip",
    )
    assert status == 0, err
    result = json.loads(out_path.read_text())
    assert (result["step"], result["split"]) == (runs.STEP, "test")
    assert result["test_averaging"] == "flip"
    assert "\nanswers are means over views of a picture: flip\n" in out
    accuracy = result["scores"]["expression"]["accuracy"]
    assert f"expression: accuracy {100 * accuracy:.2f} %" in out
    stored = scoring.read_predictions(str(npz))
    assert scoring.scores(runs.run_config(), stored) == result["scores"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Name either a --run or a --model to score"),
        (["--model=b"], "Name the --data_dir to score the model on"),
        (
            ["--model=b", "--data_dir=d", "--test_averaging=flip"],
            "A model's --test_averaging is part of it; export the run again with it",
        ),
        (["--run=a", "--report"], "--report shows slices of a run; add --run and"),
        (["--run=/nowhere"], "/nowhere is no run folder: it has no config.json"),
        (["--model=/nowhere", "--data_dir=d"], "/nowhere is no kfer model"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, text):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"kfer-evaluate: error: {text}") and err.count("\n") == 1


def test_wrong_data_is_one_line_and_status_2():
    status, _, err = run(f"--run={runs.run()}", "--data_dir=/nowhere")
    assert status == 2 and "There is no folder /nowhere" in err
    assert err.startswith("kfer-evaluate: error: ") and err.count("\n") == 1
    status, _, err = run(f"--run={runs.run()}", "--split=valid")
    assert status == 2 and "has no examples in a split 'valid'" in err


def test_help_tells_how():
    status, out, _ = run("--help")
    assert status == 0
    assert "kfer-evaluate --run=DIR" in out and "--split" in out

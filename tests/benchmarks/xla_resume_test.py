"""What resume.py does with time, failures and lines, around a runner without jax."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

XLA = Path(__file__).resolve().parents[2] / "benchmarks" / "xla"

# Two steps an epoch; half a second until a row's first, which 'bad' doesn't reach.
RUNNER = """
import json, os, time
from types import SimpleNamespace
import numpy as np
WEIGHTS, module_lib = "weights.npz", SimpleNamespace(PRECISIONS=("fp32", "tf32"))

def replace(path, write):
    with open(path, "wb") as file:
        write(file)

def read_curves(folder, step):
    path = os.path.join(folder, "curves.jsonl")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [row for row in map(json.loads, file) if row["step"] <= step]

def main(argv, tell):
    flags = dict(word[2:].split("=", 1) for word in argv)
    os.makedirs(flags["state"], exist_ok=True)
    began, minutes = time.perf_counter(), float(flags["minutes"])
    if flags["dir"].endswith("bad"):
        raise RuntimeError("out of memory")
    time.sleep(0.5)
    rows = read_curves(flags["state"], 10**9)
    while len(rows) < int(flags["epochs"]):
        if minutes and time.perf_counter() - began > 60 * minutes:
            break
        rows.append({"step": 2 * len(rows) + 2, "epoch": len(rows) + 1.0})
        with open(os.path.join(flags["state"], "curves.jsonl"), "w") as file:
            file.writelines(json.dumps(row) + "\\n" for row in rows)
        tell()
    step = rows[-1]["step"] if rows else 0
    np.savez(os.path.join(flags["state"], WEIGHTS), step=step)
"""


@pytest.fixture
def resume(tmp_path):
    """Runs resume.py on a bundle of rows; gives the exit status and what it said."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    shutil.copy(XLA / "resume.py", folder)
    (folder / "run_step.py").write_text(RUNNER)

    def run(rows, *flags):
        content = {"epochs": 2, "rows": [{"name": name} for name in rows]}
        (folder / "bundle.json").write_text(json.dumps(content))
        command = [sys.executable, str(folder / "resume.py"), f"--out={tmp_path}/out"]
        done = subprocess.run([*command, *flags], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    return run


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_all_rows_one_after_the_other(resume, tmp_path):
    assert resume(["a", "b"])[0] == 0
    assert [(r["row"], r["epoch"]) for r in lines(tmp_path / "out/epochs.jsonl")] == [
        ("a", 1.0),
        ("a", 2.0),
        ("b", 1.0),
        ("b", 2.0),
    ]
    # They are done, so nothing is begun again.
    status, said = resume(["a", "b"])
    assert status == 0 and "row" not in said
    # More epochs go on from there; --lines puts the lines elsewhere.
    elsewhere = tmp_path / "there" / "lines.jsonl"
    status, said = resume(["a", "b"], "--epochs=3", "--rows=b", f"--lines={elsewhere}")
    assert status == 0 and said.count("row ") == 1
    assert [row["epoch"] for row in lines(elsewhere)] == [1.0, 2.0, 3.0]


def test_a_row_that_fails_costs_the_others_nothing(resume):
    status, said = resume(["bad", "good"])
    assert status == 1 and "out of memory" in said
    assert "failed: bad; to go: bad" in said


def test_a_row_is_not_begun_where_its_first_epoch_would_not_end(resume):
    """Row a takes 0.5 s to its first line; of 0.9 s less than that is left for b."""
    status, said = resume(["a", "b"], "--minutes=0.015")
    assert status == 75 and "row b" not in said
    assert "failed: none; to go: b" in said
    assert resume(["a", "b"])[0] == 0


def test_a_row_that_is_not_there(resume):
    status, said = resume(["a", "b"], "--rows=a,c")
    assert status == 2 and "there is no row c; known: a, b" in said

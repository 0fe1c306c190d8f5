"""kfer-experiments as its users run it."""

import csv

import pytest

from tests.bin.processes import run
from tests.data.datasets import cifar_roots


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "takes one of run, report and flags, got ''"),
        (["go"], "takes one of run, report and flags, got 'go'"),
        (["run", "--table=4"], "Unknown table '4'; known: 1, 2, 3"),
        (["run", "--methods=nope"], "Unknown method 'nope'"),
        (
            ["run", "--table=2", "--methods=air"],
            "No cell of these tables has method air",
        ),
        (
            ["report", "--table=1", "--methods=joint,elr"],
            "No cell of these tables has method elr",
        ),
    ],
)
def test_wrong_use(arguments, text, tmp_path):
    status, _, stderr = run("experiments", *arguments, f"--out_dir={tmp_path}")
    assert status == 2 and len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("kfer-experiments: error: ") and text in stderr


def test_runs_skips_and_reports(tmp_path):
    """Two steps of a cell on a few pictures, and a cell without its data."""
    root, out = cifar_roots.make(tmp_path / "raw"), tmp_path / "out"
    flags = [
        "--table=1,ferplus",
        "--methods=vgg_all",
        "--seeds=1",
        f"--data_root={root}",
        f"--out_dir={out}",
        *(f"--train_flag={flag}" for flag in ("--steps=2", "--eval_every=2")),
        "--train_flag=--batch_size=8",
    ]
    status, stdout, stderr = run("experiments", "run", *flags)
    assert status == 0, stderr
    assert stdout.strip() == "done: 1, skipped: 1"
    assert run("experiments", "run", *flags)[1] == stdout
    status, stdout, _ = run("experiments", "report", *flags)
    assert status == 0
    report = out / "cpu" / "report"
    assert stdout.splitlines()[0] == str(report / "results.csv")
    with open(report / "results.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    done = [row for row in rows if row["status"] == "done"]
    assert {row["step"] for row in done} == {"2"} and len(done) == 2 * 4
    assert "ferplus" in next(r["reason"] for r in rows if r["setting"] == "ferplus")
    assert (
        f"| {100 * float(done[0]['value']):.2f} |"
        in (report / "table-1.md").read_text()
    )
    assert "skipped: kfer-preprocess: error: " in (report / "ferplus.md").read_text()

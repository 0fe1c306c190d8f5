"""Runs' folders become rows that can be traced to their commands."""

import csv

import pytest

from benchmarks import run_rows
from kfer.errors import UserError
from kfer.evaluation import results
from kfer.experiments import results as results_lib
from kfer.training import run_folder
from tests import runs


def _read(found):
    text = results_lib.as_csv(run_rows.Row, found)
    return list(csv.DictReader(text.splitlines()))


def test_a_row_for_each_number_of_each_evaluation():
    run = results.load_run(runs.run())
    rows = _read(run_rows.rows(run))
    wanted = [
        (str(evaluation["step"]), target, measure, str(value))
        for evaluation in run_folder.read_history(runs.run())
        for target, scores in (evaluation["test"] or {}).items()
        for measure, value in scores.items()
        if measure in {"accuracy", "mean_class_accuracy", "ccc", "mse"}
    ]
    names = ("step", "target", "measure", "value")
    found = [tuple(row[name] for name in names) for row in rows]
    assert len(wanted) >= 8
    assert set(wanted) <= set(found)
    assert {row["method"] for row in rows} == {"vgg_all"}
    assert rows[-1]["seconds"] == "6.0"  # three stretches of 2 s


def test_no_folder_of_a_machine():
    command = "bin/train_main.py --data_dir='/a b/c' --seed=1 --out_dir=/x/y --noexport"
    assert run_rows.portable(command) == (
        "kfer-train --data_dir=DATA --seed=1 --out_dir=RUN --noexport"
    )


def test_a_run_that_was_never_scored(tmp_path):
    run = results.load_run(runs.run())
    run.history.clear()
    with pytest.raises(UserError, match="no evaluation; train it to its end"):
        list(run_rows.rows(run))

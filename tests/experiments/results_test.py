"""Every number of every cell in one tidy file."""

import csv

from kfer.experiments import cells, results, runner
from kfer.experiments.cells import Cell
from tests.experiments import fake

DONE, OTHER = Cell("cifar10", "vgg_all", 1), Cell("cifar10", "joint", 0)


def test_rows_of_a_finished_cell(tmp_path):
    plan = fake.plan(tmp_path)
    fake.finish(plan, DONE, 0.25, 0.5)
    rows = results.collect(plan, [DONE, OTHER])
    table = {
        (r.which, r.measure): (r.value, r.step) for r in rows if r.status == "done"
    }
    assert len(table) == 8
    assert table["last", "accuracy"] == (0.25, 20)
    assert table["best", "accuracy"] == (0.5, 10)
    assert table["last", "ece"] == (0.125, 20)
    first = rows[0]
    assert (first.method, first.seed, first.target) == ("vgg_all", 1, "class")
    assert (first.commit, first.data_hash) == ("abc", "beef")
    assert (first.seconds, first.images_per_second) == (4.0, 50.0)
    costs = {(r.which, r.seconds, r.pflop) for r in rows if r.status == "done"}
    assert costs == {("last", 4.0, 0.25), ("best", 2.0, 0.125)}
    assert len(first.config_hash) == 16
    assert rows[-1] == results.Row("cpu", "kfer", "cifar10", "joint", 0, "not run")


def test_the_file(tmp_path):
    plan = fake.plan(tmp_path)
    fake.finish(plan, DONE, 0.25, 0.5)
    path = str(tmp_path / "report" / "results.csv")
    rows = results.collect(plan, [DONE, OTHER])
    assert results.write(path, rows) == path
    with open(path, encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 9
    assert found[0]["measure"] == "accuracy" and float(found[0]["value"]) == 0.25
    assert found[-1]["status"] == "not run" and found[-1]["value"] == ""


def test_folders_of_a_machine_are_left_out(tmp_path):
    plan = fake.plan(tmp_path, data_root="/raw/data")
    text = f"kfer-train --data_dir=/raw/data/x --out_dir={plan.folder(DONE)}"
    assert results.portable(text, plan) == (
        "kfer-train --data_dir=RAW/x --out_dir=DIR/cpu/cells/cifar10-vgg_all-1"
    )
    assert results.portable("a b", fake.plan(tmp_path)) == "a b"
    beside = "no /raw/data2; no /raw/data.csv; no /raw/data."
    assert results.portable(beside, plan) == "no /raw/data2; no /raw/data.csv; no RAW."


def test_a_relative_folder_is_no_part_of_other_words():
    plan = runner.Plan(cells.SCALES["cpu"], ".", "data")
    text = "--rate=0.5 --data_dir=data/x --out_dir=./cpu/data/x: no data. ./cpu/a"
    assert results.portable(text, plan) == (
        "--rate=0.5 --data_dir=RAW/x --out_dir=DIR/cpu/data/x: no data. DIR/cpu/a"
    )

import os
import shutil

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import record
from kfer.data.record import Record
from kfer.errors import UserError
from kfer.evaluation import report, results, scoring, slices
from kfer.evaluation.scoring import Predictions
from kfer.metrics import intervals
from kfer.training import run_folder
from tests import runs
from tests.data import prepared

GENDERS = ("female", "male", "other")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Ten test pictures: female, female, male, male, then not said from the fifth on;
    their class is their number."""
    columns = {
        "gender": record.categorical("gender", GENDERS),
        "mood": record.valence_arousal("mood"),
        "empty": record.categorical("empty", GENDERS),
    }
    rows = [
        Record(
            f"test-{i}",
            prepared.png(i),
            {"mood": (0.0, 0.5)} | ({"gender": i // 2} if i < 4 else {}),
            {"class": i},
        )
        for i in range(10)
    ]
    path = tmp_path_factory.mktemp("slices") / "set"
    return dataset_lib.write(
        str(path), "sliced", {"test": rows}, columns, prepared.CLEAN, image_size=32
    )


def said(classes) -> Predictions:
    """Certain answers to the ten pictures, whose truth is their number."""
    return Predictions(np.eye(10)[classes], np.arange(10), np.ones(10))


def test_scores_by_class_by_hand(dataset):
    # Right of the women: 0; of the men: 2 and 3; of the others: 4, 5 and 9 of six.
    rows = {"class": said([0, 7, 2, 3, 4, 5, 0, 0, 0, 9])}
    config = prepared.small_config()
    (found,) = slices.of(rows, dataset, config, "test", 4, ["gender"]).values()
    assert list(found) == ["female", "male", "other", "(not given)"]
    assert [row["records"] for row in found.values()] == [2, 2, 0, 6]
    scores = {text: row["scores"]["class"] for text, row in found.items()}
    assert [row["accuracy"] for row in scores.values()] == [0.5, 1.0, None, 0.5]
    assert scores["female"]["intervals"]["accuracy"] == list(intervals.share(1, 2))
    assert scores["(not given)"]["intervals"]["accuracy"] == list(intervals.share(3, 6))
    # Two women: the class 1 has recall 0, and 7, never true, F1 0.
    assert scores["female"]["macro_f1"] == pytest.approx(1 / 3)
    assert scores["male"]["note"] == "too few to compare: 2 of 30 examples"
    assert set(scores["other"]["intervals"].values()) == {None}


def test_tables_of_text(dataset):
    rows = {"class": said(list(range(10)))}
    config = prepared.small_config()
    found = slices.of(rows, dataset, config, "test", 10, ["gender"])
    (table,) = slices.tables(found)
    assert table["title"] == "class by gender"
    assert table["heads"] == ["accuracy", "mean class accuracy", "macro f1"]
    low, high = intervals.share(2, 2)
    assert table["rows"][0] == {
        "slice": "female",
        "count": 2,
        "cells": [f"1.0000 [{low:.4f}, {high:.4f}]", "1.0000", "1.0000"],
        "note": "too few to compare: 2 of 30 examples",
    }
    lines = slices.describe(found)
    assert lines[1] == "class by gender, with 95 % intervals"
    assert lines[2].startswith("  female            2  accuracy 1.0000 [")
    assert "accuracy n/a" in lines[4]


def test_against_labels_a_batch_comes_once_for_each_label_set():
    part = Predictions(np.zeros((12, 2)), np.zeros(12), np.zeros(12))
    found = slices.positions(part, np.zeros(6, bool), 4)
    assert found.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 4, 5]


def test_against_labels_pictures_count_and_not_labels(dataset):
    # Two label sets of ten pictures in batches of four: rows 0 to 3 twice, 4 to 7
    # twice, 8 and 9 twice. The answer 0 agrees with both labels of picture 4, with the
    # first of 5, and with none of the other four that no gender is said of.
    truth = np.array([9] * 8 + [0, 0, 9, 9] + [0, 9, 9, 9] + [9] * 4)
    part = Predictions(np.eye(10)[np.zeros(20, int)], truth, np.ones(20))
    config = prepared.small_config()
    (found,) = slices.of(
        {"class": part}, dataset, config, "test", 4, ["gender"]
    ).values()
    scores = found["(not given)"]["scores"]["class"]
    assert scores["num_examples"] == 12 and scores["accuracy"] == 0.25
    hits, count = np.array([2, 1, 0, 0, 0, 0]), np.full(6, 2)
    ends = intervals.share_of_pictures(hits, count)
    assert scores["intervals"]["accuracy"] == list(ends)
    assert scores["note"] == "too few to compare: 6 of 30 pictures"


def test_copies_of_few_pictures_are_few(dataset):
    rng = np.random.default_rng(0)
    true = rng.normal(0, 0.4, (20, 2)).astype(np.float32)
    part = Predictions(*(np.tile(v, (2, 1)) for v in (0.5 * true, true)), np.ones(40))
    task = prepared.small_config().tasks[2]
    record = np.tile(np.arange(20), 2)
    found = slices.scores_of(task, part, np.ones(40, bool), record)
    assert found["num_examples"] == 40 and not any(found["intervals"].values())
    assert found["note"] == "too few to compare: 20 of 30 pictures"


def test_enough_values_have_intervals():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 0.4, (80, 2)).astype(np.float32)
    part = Predictions(0.5 * true, true, (np.arange(80) != 3).astype(np.float32))
    task = prepared.small_config().tasks[2]
    found = slices.scores_of(task, part, np.arange(80) < 50, np.arange(80))
    assert found["num_examples"] == 49 and "note" not in found
    for name in ("ccc", "rmse", "sagr"):
        low, high = found["intervals"][name]
        assert low <= found[name] <= high
    assert found["intervals"]["ccc"][0] < found["ccc"] < found["intervals"]["ccc"][1]


def test_columns_that_are_none(dataset):
    text = r"^test in .* has no class column '{}' to slice by; it has class, gender$"
    for name in ("pose", "mood", "empty"):
        with pytest.raises(UserError, match=text.format(name)):
            slices.columns(dataset, "test", ["gender", name])
    assert slices.columns(dataset, "test", []) == {}


@pytest.fixture(scope="module")
def result():
    return scoring.evaluate_run(runs.run(), slice_by=["expression"])


def test_a_run_by_its_own_truth_has_the_recalls(result):
    recalls = result["scores"]["expression"]["recall"]
    found = result["slices"]["expression"]
    assert sum(row["records"] for row in found.values()) == 20
    assert {t: row["scores"]["expression"]["accuracy"] for t, row in found.items()} == (
        recalls
    )
    assert set(next(iter(found.values()))["scores"]) == {
        "expression",
        "valence_arousal",
    }
    assert "valence_arousal by expression" in results.describe(result)


def test_the_page_shows_them(result, tmp_path, monkeypatch):
    monkeypatch.setattr(report.figures, "of", lambda runs_: [])
    folder = str(tmp_path / "run")
    shutil.copytree(runs.run(), folder)
    path = report.write_slices(folder, result)
    with open(path, encoding="utf-8") as file:
        page = file.read()
    assert "<h2>Slices</h2>" in page and "valence_arousal by expression" in page
    assert page.count("too few to compare") == 14
    metrics = run_folder.read_json(os.path.join(folder, run_folder.METRICS))
    assert metrics["sliced"]["slices"] == result["slices"] and metrics["last"]
    other = result | {"data": {"root": "/else", "content_hash": "1"}}
    with pytest.raises(UserError, match="trained with another data set than /else"):
        report.write_slices(folder, other)

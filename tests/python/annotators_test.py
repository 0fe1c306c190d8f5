"""Annotators' accounts, by hand."""

import json
import types

import numpy as np
import pytest

from kfer import tasks
from kfer.audit.label_sets import LabelSets
from kfer.crowd import people
from kfer.crowd.triples import Triples, Values, keys_of
from kfer.data.record import Column
from kfer.python import annotators

MOOD = Column("mood", "categorical", ("calm", "tense"))
PAIN = Column("pain", "continuous", (), ("pain",), 0.0, 10.0)
TASKS = (
    tasks.LabelTask("mood", "categorical", MOOD.classes),
    tasks.LabelTask("pain", "continuous", dimensions=("pain",), high=10.0),
)
MODEL = {
    "mood": np.array([[0.75, 0.25], [0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]),
    "pain": np.array([[1.0], [2.0], [3.0], [4.0]]),
}
NAN = np.nan


def column(of, name):
    return Column(
        name, of.kind, of.classes, of.dimensions, of.low, of.high, target=of.name
    )


def found(labels, clean=None, crowds=None):
    """rows of label sets; name of a column -> labels."""
    columns = {n: column(PAIN if "pain" in n else MOOD, n) for n in labels}
    clean_columns = {n: {"mood": MOOD, "pain": PAIN}[n] for n in clean or {}}
    crowds = crowds or {}
    crowd_columns = {n: c for n, (_, c) in crowds.items()}
    sets = LabelSets(
        list("abcd"),
        {n: np.array(x) for n, x in labels.items()},
        {n: np.array(x) for n, x in (clean or {}).items()},
        columns,
        clean_columns,
        {n: x for n, (x, _) in crowds.items()},
        crowd_columns,
    )
    data = types.SimpleNamespace(
        columns=columns | crowd_columns, clean_columns=clean_columns
    )
    rows = annotators.rows(data, sets, types.SimpleNamespace(tasks=TASKS), MODEL)
    assert json.loads(json.dumps(rows)) == rows
    return {row["annotator"]: row for row in rows}


def test_judged_by_the_truth():
    labels = {"annotator_ann": [0, 0, 1, -1], "annotator_bob": [-1] * 4}
    rows = found(labels, {"mood": [0, 1, 1, 0]})
    assert list(rows) == ["ann"]
    ann = rows["ann"]
    # of three compared one is wrong: a tense picture called calm
    assert (ann["labels"], ann["accuracy"]) == (3, pytest.approx(2 / 3))
    low, high = people.wilson(np.array([2.0]), np.array([3.0]))
    assert (ann["low"], ann["high"]) == pytest.approx((low[0], high[0]))
    assert ann["confusion"] == [[1.0, 0.0], [0.5, 0.5]]
    assert ann["judged_by"] == "the truth"


def test_judged_by_the_model_where_nobody_shares_a_picture():
    rows = found({"annotator_ann": [0, 1, -1, -1], "annotator_bob": [-1, -1, 1, -1]})
    assert {row["judged_by"] for row in rows.values()} == {"the model"}
    # p(calm) .75 and .25, called calm and tense
    assert rows["ann"]["confusion"] == [[0.75, 0.25], [0.25, 0.75]]
    assert rows["bob"]["confusion"] == [[0.0, 1.0], None]
    assert rows["bob"]["accuracy"] < 0.5 < rows["ann"]["accuracy"]


def test_judged_by_the_model_and_the_others():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    sets = np.stack(
        [np.where(rng.random(400) < p, 1 - truth, truth) for p in (0.05, 0.4, 0.1)]
    )
    model = np.where(rng.random(400) < 0.1, 1 - truth, truth)
    model = np.eye(2)[model] * 0.8 + 0.1
    shares, posterior, by = annotators._judged(Triples.of_sets(sets, 2), None, model)
    assert by == "the model and the others"
    right = (sets == truth).mean(axis=1)
    np.testing.assert_allclose(shares.share, right, atol=0.04)
    assert np.mean(posterior.argmax(1) == truth) > 0.95


def test_pictures_are_known_by_their_ids(monkeypatch):
    seen = []

    def judged(triples, *others):
        seen.append(triples.keys)
        return judge(triples, *others)

    judge = annotators._judged
    monkeypatch.setattr(annotators, "_judged", judged)
    found({"annotator_ann": [0, 0, 1, -1]})
    np.testing.assert_array_equal(seen, [keys_of("abcd")])


def test_a_crowd():
    crowd = Column(
        "mood", "categorical", MOOD.classes, annotators=("x", "y", "z"), target="mood"
    )
    triples = Triples(
        np.array([0, 1, 1]), np.array([0, 0, 2]), np.array([0, 1, 0]), 4, 3, 2
    )
    rows = found({}, {"mood": [0, 1, 1, 0]}, {"mood": (triples, crowd)})
    assert {n: (r["labels"], r["accuracy"]) for n, r in rows.items()} == {
        "x": (2, 1.0),
        "z": (1, 0.0),
    }


def test_values():
    rows = found({"annotator_ann_pain": [[3.0], [5.0], [7.0], [NAN]]})
    # 2 v + 1 of the model's 1, 2, 3: by the model, 3 above on the mean, twice the scale
    ann = rows["ann"]
    assert (ann["labels"], ann["judged_by"]) == (3, "the model")
    assert ann["bias"] == pytest.approx([3.0]) and ann["scale"] == pytest.approx([2.0])
    assert ann["spread"] == pytest.approx([0.0], abs=1e-9)
    by_truth = found(
        {"annotator_ann_pain": [[3.0], [5.0], [7.0], [NAN]]},
        {"pain": [[3.0], [5.0], [8.0], [1.0]]},
    )["ann"]
    assert by_truth["bias"] == pytest.approx([-1 / 3])
    assert by_truth["judged_by"] == "the truth"


def test_a_crowd_s_values():
    crowd = Column("pain", "continuous", (), ("pain",), 0.0, 10.0, "pain", ("x", "y"))
    values = Values(
        np.array([0, 1, 2]), np.array([1, 1, 1]), np.array([2.0, 3.0, 4.0]), 4, 2
    )
    rows = found({}, None, {"pain": ([values], crowd)})
    assert list(rows) == ["y"] and rows["y"]["bias"] == pytest.approx([1.0])


def test_frame():
    table = annotators.frame([{"target": "mood", "confusion": [[0.5, 0.5], None]}])
    assert list(table.columns) == list(annotators.COLUMNS)
    np.testing.assert_array_equal(table["confusion"][0], [[0.5, 0.5], [NAN, NAN]])
    assert table["bias"][0] is None
    assert annotators.frame([]).empty

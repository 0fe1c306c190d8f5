"""A crowd's page: what is said of whom, what can't be said, and in what time."""

import json
import time

import numpy as np
import pytest

from kfer.audit import crowd_classes, crowd_tables
from kfer.crowd.triples import Triples
from kfer.data.record import Column
from tests.crowd import crowds

CLASSES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger")


def column(people, classes=CLASSES):
    names = tuple(f"w{a:03d}" for a in range(people))
    return Column("mood", "categorical", classes, annotators=names)


def test_a_crowd_with_its_truth():
    truth, triples = crowds.sparse(annotators=60, share=0.1)
    found = crowd_classes.of_column(triples, column(60), truth, "mood").summary
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["noise"] == pytest.approx(
        np.mean(triples.label != truth[triples.item])
    )
    right = {name: row["right"] for name, row in found["consensus"].items()}
    assert right["the one written"] > right["majority, ties drawn"] + 0.03
    assert min(right["one coin"], right["GLAD"]) > right["majority, ties drawn"] + 0.02
    assert found["consensus"]["majority, ties drawn"]["unlike_majority"] == 0
    shares = [row["right"] for row in found["annotators"]]
    assert len(shares) == 60 and shares == sorted(shares, reverse=True)
    assert all(r["low"] < r["right"] < r["high"] for r in found["annotators"])
    # Guessers are apart from those who know.
    assert found["groups"][0]["people"] >= 25 and len(found["groups"]) > 1
    assert not any("shuffled" in note for note in found["notes"])


def test_few_labels_are_said_to_be_few():
    _, triples = crowds.sparse()
    found = crowd_classes.of_column(triples, column(200), None, "").summary
    few = [row for row in found["annotators"] if row["right"] is None]
    assert 0 < len(few) < 200 and found["annotators"][-len(few) :] == few
    (_, _, people, *_) = crowd_tables.tables(found)
    assert people.rows[-1][3] == crowd_tables.TOO_FEW and len(people.rows) == 40
    assert "the first and last 20 of 200" in people.title
    assert any("judged by the others" in note for note in found["notes"])


def test_annotators_who_share_no_picture_are_not_judged():
    triples = Triples(np.arange(100), np.arange(100) % 5, np.arange(100) % 7, 100, 5, 7)
    found = crowd_classes.of_column(triples, column(5), None, "").summary
    assert found["consensus"] == {} and found["dawid_skene"] is None
    assert found["noise"] is None and found["judged_by"] is None
    assert all(row["right"] is None for row in found["annotators"])
    assert any("no two annotators share a picture" in n for n in found["notes"])
    text = [row for table in crowd_tables.tables(found) for row in table.rows]
    assert ["wrong labels", "n/a"] in text


def test_ids_dealt_at_random_look_shuffled():
    _, triples = crowds.sparse(annotators=40, share=0.2)
    rng = np.random.default_rng(1)
    order = np.lexsort((rng.random(len(triples.item)), triples.item))
    inside = np.lexsort((triples.annotator, triples.item))
    dealt = np.empty_like(triples.annotator)
    dealt[inside] = triples.annotator[order]
    label, item = triples.label[inside], triples.item[inside]
    shuffled = Triples(item, dealt[inside], label, 2000, 40, 7)
    found = crowd_classes.of_column(shuffled, column(40), None, "").summary
    assert any("these ids look shuffled" in note for note in found["notes"])
    assert found["identity"]["ratio"] < 1.3


def test_no_label_is_no_summary():
    none = np.array([], int)
    assert (
        crowd_classes.of_column(Triples(none, none, none, 3, 4, 7), column(4), None, "")
        is None
    )


def test_a_large_crowd_takes_seconds():
    # 150,000 labels of 50,000 pictures by 747 people; processor seconds, as the machine
    # may be busy with other things.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 50_000)
    item, who = np.repeat(np.arange(50_000), 3), rng.integers(0, 747, 150_000)
    right = rng.random(150_000) < rng.uniform(0.5, 0.98, 747)[who]
    label = np.where(right, truth[item], rng.integers(0, 10, 150_000))
    triples = Triples(item, who, label, 50_000, 747, 10)
    start = time.process_time()
    names = tuple(map(str, range(10)))
    crowd_classes.of_column(triples, column(747, names), None, "")
    assert time.process_time() - start < 15

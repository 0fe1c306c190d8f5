"""A crowd and a model together: better than either, and nothing where it isn't."""

import numpy as np
import pytest

from kfer.audit import crowd_judgement, judgement, model_tables
from kfer.audit.label_sets import LabelSets
from kfer.data import record
from kfer.data.record import Column
from tests.audit import judged
from tests.crowd import crowds

CLASSES = tuple("abcdefg")


def made(accuracy, truth=True, sure=0.9, share=0.05):
    right, triples = crowds.sparse(annotators=50, share=share)
    rng = np.random.default_rng(0)
    said = np.where(rng.random(2000) < accuracy, right, rng.integers(0, 7, 2000))
    model = np.full((2000, 7), (1 - sure) / 6)
    model[np.arange(2000), said] = sure
    people = tuple(f"w{a}" for a in range(50))
    column = Column("mood", "categorical", CLASSES, annotators=people, target="truth")
    clean = {"truth": right} if truth else {}
    columns = {"truth": record.categorical("truth", CLASSES)} if truth else {}
    ids = [str(i) for i in range(2000)]
    sets = LabelSets(ids, {}, clean, {}, columns, {"mood": triples}, {"mood": column})
    return judged.answers()._replace(by_target={"truth": model}), sets


def test_model_and_crowd_beat_either():
    answers, sets = made(0.7)
    found = crowd_judgement.judge(answers, sets, "mood", "truth", 0.5)
    right = found.summary["right"]
    assert right["model+annotators"] > max(right["model"], right["annotators"]) + 0.02
    assert found.summary["second_opinion"]["beats"] is True
    assert found.summary["noise_after"] < 0.5 * found.summary["noise"]
    assert found.summary["em"]["converged"]
    # What is to be stored are whole lists of labels, in order.
    triples = sets.crowds["mood"]
    changed = 0
    for image_id, pairs in found.proposed.items():
        rows = triples.item == int(image_id)
        before = dict(zip(triples.annotator[rows], triples.label[rows], strict=True))
        assert [a for a, _ in pairs] == sorted(before)
        assert sets.crowd_columns["mood"].problem(pairs) == ""
        changed += sum(label != before[a] for a, label in pairs)
    assert changed == found.summary["proposed"] > 500
    rows = list(crowd_judgement.rows(sets, "mood", found))
    assert len(rows) == len(triples.item)
    assert sum(row[2] != row[3] for row in rows) == changed
    doubts = [float(row[4]) for row in rows]
    assert doubts == sorted(doubts, reverse=True) and doubts[0] > 0.99
    image_id, who, given, *_ = rows[0]
    place = (triples.item == int(image_id)) & (triples.annotator == int(who[6:]))
    assert CLASSES[triples.label[place][0]] == given


def test_nothing_is_proposed_that_does_not_beat_the_crowd(monkeypatch):
    answers, sets = made(0.2, truth=False)
    # A model that is believed whatever the crowd says.
    monkeypatch.setattr(
        crowd_judgement.truth_lib,
        "fit_triples",
        lambda model, *_: crowd_judgement.truth_lib.Truth(model, None, None, 1, True),
    )
    found = crowd_judgement.judge(answers, sets, "mood", "truth", 0.5)
    assert found.summary["second_opinion"]["beats"] is False
    assert found.summary["proposed"] == 0 and found.proposed == {}
    assert found.summary["noise"] is None


def test_a_judgement_has_the_crowd(monkeypatch):
    answers, sets = made(0.7)
    task = answers.config.tasks[0]
    target = type(task)("truth", "categorical", CLASSES)
    config = type(answers.config)("t", "crowd", (target,))
    found = judgement.judge(
        judgement.Audit({}, sets, None), answers._replace(config=config)
    )
    (summary,) = found.summary["crowds"]
    assert summary["column"] == "mood" and found.rankings == {}
    assert found.summary["notes"] == ["S_joint is not asked about crowd columns"]
    (table,) = model_tables.tables(found.summary)
    assert table.title == "mood: a crowd and the model"
    assert ["labels", str(summary["labels"])] in table.rows
    assert found.crowds["mood"].posterior.sum(axis=1) == pytest.approx(1)

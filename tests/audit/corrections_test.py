"""Proposals as rows and as labels to store."""

import numpy as np

from kfer.audit import corrections, judgement
from tests.audit import judged


def judge(**fields):
    sets = judged.sets()
    return sets, judgement.judge(judged.found(sets), judged.answers(), **fields)


def test_rows_are_every_label_worst_first():
    sets, found = judge(score="model")
    rows = list(corrections.rows(sets, found))
    second = [row for row in rows if row[1] == "annotator_2"]
    # f has no label; 0.8, 0.7, 0.2, and a before c at 0.1.
    assert [row[0] for row in second] == list("debac")
    assert second[0] == [
        "d",
        "annotator_2",
        "happy",
        "sad",
        "0.800000",
        "model: probability 0.800; 2 of 3 annotators say so",
    ]
    assert second[2] == ["b", "annotator_2", "happy", "happy", "0.200000", ""]
    values = [row for row in rows if row[1] == "valence_arousal"]
    assert values[0][:4] == ["d", "valence_arousal", "0.9000 0.0000", "0.9000 0.0000"]
    assert len(rows) == 20


def test_values_say_how_far_they_are(monkeypatch):
    monkeypatch.setattr(judgement, "RESIDUAL_LIMIT", 1.0)
    sets, found = judge()
    row = next(r for r in corrections.rows(sets, found) if r[1] == "valence_arousal")
    assert row[3] == "0.0000 0.0000"
    assert row[5] == "1.4 standard deviations from the model"


def test_labels_to_store_are_the_changed_ones(monkeypatch):
    monkeypatch.setattr(judgement, "RESIDUAL_LIMIT", 1.0)
    sets, found = judge()
    changes = corrections.of_judgement(sets, found.rankings)
    assert changes == {
        "annotator_1": {},
        "annotator_2": {"d": 1},
        "annotator_3": {"a": 0},
        "valence_arousal": {"d": (0.0, 0.0)},
    }
    assert type(changes["annotator_2"]["d"]) is int
    assert not np.isnan(changes["valence_arousal"]["d"]).any()

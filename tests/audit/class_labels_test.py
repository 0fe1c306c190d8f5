"""Label sets of classes, judged by answers that are written by hand."""

import dataclasses
import types

import numpy as np
import pytest

from kfer.audit import judgement, suspicion
from kfer.audit.class_labels import ClassLabels
from kfer.audit.label_sets import LabelSets
from kfer.data import record, rewrite
from tests.audit import judged


def made(score="", limit=0.5, sets=None, answers=None):
    sets = sets or judged.sets()
    answers = answers or judged.answers()
    return ClassLabels(judged.found(sets), answers, "expression", score, limit)


def test_the_model_alone():
    found = made("model")
    ranked = found.rankings["annotator_2"]
    # d is said to be happy, which the model gives 0.2; f has no label.
    expected = [0.1, 0.2, 0.1, 0.8, 0.7, np.nan]
    np.testing.assert_allclose(ranked.scores["model"], expected)
    # On e the model errs.
    assert ranked.changed.tolist() == [False, False, False, True, True, False]
    assert ranked.proposed.tolist() == [0, 0, 1, 1, 1, -1]
    # However low the limit, what the model says as well is not changed.
    low = made("model", limit=0.05).rankings["annotator_2"]
    assert low.changed.tolist() == ranked.changed.tolist()
    high = made("model", limit=0.75).rankings["annotator_2"]
    assert high.changed.tolist() == [False, False, False, True, False, False]


def test_model_and_annotators_together():
    found = made()
    assert found.chosen == suspicion.BOTH
    changed = {n: np.flatnonzero(r.changed).tolist() for n, r in found.rankings.items()}
    # All three say happy of e, whatever the model says.
    assert changed == {"annotator_1": [], "annotator_2": [3], "annotator_3": [0]}
    summary = found.summary()
    assert summary["corrections"]["annotator_2"] == {
        "changed": 1,
        "were_wrong": 1.0,
        "are_right": 1.0,
        "noise": pytest.approx(1 / 5),
        "noise_after": 0.0,
    }
    assert summary["proposed"] == {"annotator_1": 0, "annotator_2": 1, "annotator_3": 1}
    row = summary["precision"]["annotator_3"]
    assert (row["compared"], row["wrong"], row["chance"]) == (5, 1, 1 / 5)
    assert row["auprc"]["model+annotators"] == 1 and row["auprc"]["model"] == 1
    accounts = summary["annotators"]["annotator_1"]
    right = (0.9 + 0.8 + 0.9 + 0.8 + 0.3) / 5
    assert accounts["model"]["reliability"] == pytest.approx(right)
    assert accounts["model+annotators"]["reliability"] > 0.9


def test_without_the_truth_nothing_is_measured():
    summary = made(sets=judged.sets(truth=False)).summary()
    assert summary["reference"] is None
    assert "precision" not in summary and "corrections" not in summary
    assert summary["proposed"]["annotator_2"] == 1


def test_one_annotator_leaves_it_to_the_model():
    found = made(sets=judged.sets(annotators=1))
    assert found.chosen == suspicion.MODEL
    assert set(found.rankings["annotator_1"].scores) == {"model", "model+annotators"}


def test_an_annotator_without_labels_has_nothing():
    sets = judged.sets()
    sets.labels["annotator_3"][:] = -1
    found = made(sets=sets)
    summary = found.summary()
    assert summary["annotators"]["annotator_3"]["model"]["reliability"] is None
    assert summary["precision"]["annotator_3"]["auprc"]["model"] is None
    assert not found.rankings["annotator_3"].changed.any()


def test_what_was_given_before_a_correction_is_not_judged():
    sets = judged.sets()
    name = rewrite.KEPT + "annotator_1"
    columns = sets.columns | {name: record.categorical(name, judged.CLASSES)}
    sets = dataclasses.replace(sets, columns=columns)
    sets.labels[name] = sets.labels["annotator_1"]
    assert list(made(sets=sets).rankings) == list(judged.NAMES)


def test_what_the_method_learned_is_shown():
    matrix = np.array([[0.9, 0.1], [0.3, 0.7]])
    method = types.SimpleNamespace(transitions=lambda: {"annotator_2": matrix})
    accounts = made(answers=judged.answers(method=method)).summary()["annotators"]
    assert "learned" not in accounts["annotator_1"]
    learned = accounts["annotator_2"]["learned"]
    np.testing.assert_allclose(learned["confusion"], matrix)
    # By the model 2.7 of 6 pictures are happy.
    assert learned["reliability"] == pytest.approx((2.7 * 0.9 + 3.3 * 0.7) / 6)


def test_nothing_is_proposed_that_does_not_beat_the_annotators():
    # 25 pictures that three annotators agree on, and a model that says otherwise.
    names = judged.NAMES
    columns = {name: record.categorical(name, judged.CLASSES) for name in names}
    labels = {name: np.zeros(25, int) for name in names}
    sets = LabelSets([str(i) for i in range(25)], labels, {}, columns, {})
    answers = judged.answers()
    wrong = {"expression": np.tile([0.1, 0.9], (25, 1))}
    found = made("model", sets=sets, answers=answers._replace(by_target=wrong))
    assert found.summary()["second_opinion"]["beats"] is False
    assert not any(ranked.changed.any() for ranked in found.rankings.values())
    (note,) = [n for n in judgement._second_opinion(found.summary()) if "nothing" in n]
    assert "doesn't beat the annotators" in note
    # The scores are there all the same.
    assert found.rankings[names[0]].suspicion[0] == pytest.approx(0.9)

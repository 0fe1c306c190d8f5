"""An audit with a model whose answers are written by hand."""

import json

import numpy as np
import pytest

from kfer import tasks
from kfer.audit import judgement, truth
from kfer.audit.label_sets import LabelSets
from kfer.data import record
from kfer.errors import UserError
from tests.audit import judged


def test_classes_and_values_are_judged():
    sets = judged.sets()
    found = judgement.judge(judged.found(sets), judged.answers())
    assert list(found.rankings) == [*judged.NAMES, "valence_arousal"]
    assert found.summary["classes"]["target"] == "expression"
    assert found.summary["notes"] == [
        "3 labels of other annotators were held back on pictures with a proposal: too "
        "few to tell whether proposals beat the labels",
        "method 'joint' has no S_joint to ask",
    ]
    assert found.summary["contradictions"] == []
    assert json.loads(json.dumps(found.summary, allow_nan=False)) == found.summary


def test_values_by_their_residual(monkeypatch):
    # Four are right and d is 0.9 too high: bias 0.18, scale 1, and 0.72 or -0.18 is
    # left, of standard deviation 0.36. So d is 2 off in one of two dimensions.
    monkeypatch.setattr(judgement, "RESIDUAL_LIMIT", 1.0)
    found = judgement.judge(judged.found(judged.sets()), judged.answers())
    ranked = found.rankings["valence_arousal"]
    assert np.flatnonzero(ranked.changed).tolist() == [3]
    assert ranked.suspicion[3] == pytest.approx(2 / np.sqrt(2))
    np.testing.assert_allclose(ranked.proposed[3], [0, 0])
    np.testing.assert_allclose(ranked.proposed[:3], judged.VALUES[:3])
    assert np.isnan(ranked.suspicion[5]) and np.isnan(ranked.proposed[5]).all()
    (row,) = found.summary["values"]
    assert row["against"]["bias"][0] == pytest.approx(0.9 / 5)
    assert row["rmse"][0] == pytest.approx(0.9 / np.sqrt(5))
    assert row["rmse_after"][0] == pytest.approx(0, abs=1e-12)
    assert row["precision"]["auprc"]["model"] == 1 and row["precision"]["wrong"] == 1


def test_what_the_method_learned_of_its_annotators_is_shown():
    from kfer.methods.va_annotators import Annotator

    learned = Annotator(np.array([0.1, 0]), np.array([1, 2]), np.array([0.3, 0.3]))
    method = type("Method", (), {"annotators": lambda _: {"valence_arousal": learned}})
    answers = judged.answers(method=method())
    (row,) = judgement.judge(judged.found(judged.sets()), answers).summary["values"]
    assert row["learned"] == {"bias": [0.1, 0], "scale": [1, 2], "sigma": [0.3, 0.3]}


def test_notes_say_what_flatters():
    answers = judged.answers(judged.joint(), learned_these_labels=True)
    found = judgement.judge(judged.found(judged.sets()), answers)
    note, *_ = found.summary["notes"]
    assert note.startswith("the model was trained on this data set")


def test_em_that_has_not_converged_is_noted(monkeypatch):
    monkeypatch.setattr(truth, "MAX_ITERATIONS", 1)
    found = judgement.judge(judged.found(judged.sets()), judged.answers())
    assert "model+annotators has not converged" in found.summary["notes"]


def other_sets(classes, values=False):
    columns = {"annotator_1": record.categorical("annotator_1", classes)}
    labels = {"annotator_1": np.array([0, 1])}
    if values:
        columns["valence_arousal"] = record.valence_arousal()
        labels["valence_arousal"] = np.array([[0.1, 0], [0.2, 0]])
    return LabelSets(["a", "b"], labels, {}, columns, {})


def test_a_run_of_other_classes_is_refused():
    answers = judged.answers()
    for classes in (("sad", "happy"), ("happy", "sad", "fear")):
        found = judged.found(other_sets(("happy", "sad")))
        found = found._replace(sets=other_sets(classes))
        with pytest.raises(
            UserError, match=r"/runs/a answers expression: happy, sad; "
        ):
            judgement.judge(found, answers)


def test_other_classes_but_the_same_values():
    found = judged.found(other_sets(tasks.CIFAR10_CLASSES[:2], values=True))
    answers = judged.answers()
    two = {name: rows[:2] for name, rows in answers.by_target.items()}
    judged_ = judgement.judge(found, answers._replace(by_target=two))
    assert list(judged_.rankings) == ["valence_arousal"]
    assert judged_.posterior is None
    assert (
        "the model doesn't answer the annotators' classes" in judged_.summary["notes"]
    )

"""Blessings by thresholds and against the last blessed model."""

import pytest

from kfer.errors import UserError
from kfer.evaluation import judgement
from kfer.tasks import expression_task, valence_arousal_task


def scores(accuracy, ccc):
    return {"expression": {"accuracy": accuracy}, "valence_arousal": {"ccc": ccc}}


def test_a_model_above_all_thresholds_is_blessed():
    least = {"expression/accuracy": 0.5, "valence_arousal/ccc": 0.2}
    assert judgement.objections(scores(0.5, 0.3), least) == []
    assert judgement.describe([]) == "blessed"


def test_without_any_score_no_threshold_is_met():
    assert judgement.objections({}, {}) == []
    found = judgement.objections({}, {"mood/accuracy": 0.0})
    assert found == ["mood/accuracy can't be had: nothing to compare with"]


def test_each_threshold_is_named():
    least = {"expression/accuracy": 0.6, "valence_arousal/ccc": 0.4}
    found = judgement.objections(scores(0.5, 0.3), least)
    assert found == [
        "expression/accuracy is 0.5000, at least 0.6 is asked for",
        "valence_arousal/ccc is 0.3000, at least 0.4 is asked for",
    ]
    assert judgement.describe(found).startswith("not blessed: expression/accuracy is")


def test_an_unknown_score_is_an_objection():
    found = judgement.objections(scores(None, 0.3), {"expression/accuracy": 0.0})
    assert found == ["expression/accuracy is unknown, at least 0 is asked for"]


@pytest.mark.parametrize(
    "now, blessed", [(0.60, True), (0.59, True), (0.57, False), (0.70, True)]
)
def test_against_the_last_blessed_model(now, blessed):
    # before: mean of 0.6 and 0.4 is 0.5; now: mean of `now` and 0.4
    before = scores(0.6, 0.4)
    found = judgement.objections(scores(now, 0.4), {}, before, 0.01)
    assert (found == []) == blessed
    if not blessed:
        assert found == ["its score 0.4850 is below the last blessed model's 0.5000"]


def test_only_targets_of_both_are_compared():
    before = {"expression": {"accuracy": 0.5}, "pose": {"accuracy": 0.9}}
    assert judgement.objections(scores(0.5, 0.0), {}, before) == []
    assert judgement.objections(scores(0.5, 0.0), {}, {"pose": {"accuracy": 1.0}}) == []


def test_a_target_with_a_yardstick_of_its_own_counts_against_its_like():
    own = {"split": "valid", "against": "labels"}
    now = scores(0.6, 0.4) | {"mood": {"accuracy": 0.2} | own}
    before = scores(0.6, 0.4) | {"mood": {"accuracy": 0.5} | own}
    # (0.6 + 0.4 + 0.2) / 3 and (0.6 + 0.4 + 0.5) / 3
    assert judgement.objections(now, {}, before) == [
        "its score 0.4000 is below the last blessed model's 0.5000"
    ]
    other = {"accuracy": 0.5, "split": "test", "against": "labels"}
    assert judgement.ranks(now, before | {"mood": other}) == (0.5, 0.5)


def test_a_threshold_on_nothing():
    with pytest.raises(UserError, match="No score is called 'expression/f2'; known: "):
        judgement.objections(scores(0.5, 0.3), {"expression/f2": 0.1})
    with pytest.raises(UserError, match="No score is called 'age'"):
        judgement.objections(scores(0.5, 0.3), {"age": 0.1})


def test_an_error_has_an_upper_bound():
    found = judgement.objections(
        {"e": {"ece": 0.1}, "v": {"rmse": 0.3}}, {"e/ece": 0.1}
    )
    assert found == []
    found = judgement.objections({"e": {"ece": 0.1}}, {"e/ece": 0.05})
    assert found == ["e/ece is 0.1000, at most 0.05 is asked for"]


def test_thresholds_are_known_before_anything_is_trained():
    tasks = (expression_task(), valence_arousal_task())
    judgement.check(["expression/ece", "valence_arousal/rmse"], tasks)
    with pytest.raises(UserError, match="'expression/ccc'; known: expression/accuracy"):
        judgement.check(["expression/ccc"], tasks)


def test_what_is_asked_stands_beside_what_was_found():
    asked = {"e/accuracy": 0.5, "e/ece": 0.05, "v/ccc": 0.2, "tone/accuracy": 0.1}
    found = judgement.thresholds(
        {"e": {"accuracy": 0.5, "ece": 0.1}, "v": {"ccc": None}}, asked, ["tone"]
    )
    assert found == [
        ("e/accuracy", "0.5000", "at least 0.5", True),
        ("e/ece", "0.1000", "at most 0.05", False),
        ("v/ccc", "unknown", "at least 0.2", False),
        ("tone/accuracy", "", "at least 0.1", False),
    ]
    assert found[3].objection == "tone/accuracy can't be had: nothing to compare with"


def test_ranks_are_over_the_targets_of_both():
    before = {"expression": {"accuracy": 0.5}, "pose": {"accuracy": 0.9}}
    assert judgement.ranks(scores(0.6, 0.0), before) == (0.6, 0.5)
    assert judgement.ranks(scores(0.6, 0.0), {}) == (None, None)

"""What the page says of a candidate that was judged."""

import json

import pytest

from kfer.errors import UserError
from kfer.evaluation import verdict

SCORES = {
    "expression": {"accuracy": 0.75, "ece": 0.0266, "num_examples": 4},
    "valence_arousal": {"ccc": 0.5, "num_examples": 4},
}
JUDGED = {
    "model": "served/3",
    "step": 12,
    "scores": SCORES,
    "minimum": {"expression/accuracy": 0.8, "expression/ece": 0.05},
    "objections": ["expression/accuracy is 0.7500, at least 0.8 is asked for"],
    "last_blessed": {"expression": {"accuracy": 0.5}},
    "last_blessed_model": "served/2",
    "largest_drop": 0.01,
}


def test_thresholds_the_model_to_beat_and_its_own_calibration():
    found = verdict.content(JUDGED)
    assert found["line"].startswith("not blessed: expression/accuracy is 0.7500")
    assert not found["is_blessed"]
    assert found["thresholds"] == [
        ("expression/accuracy", "0.7500", "at least 0.8", False),
        ("expression/ece", "0.0266", "at most 0.05", True),
    ]
    # Over the target that both have.
    assert found["beside"] == (
        "Its score is 0.7500, that of served/2 0.5000; it may be 0.01 lower"
    )
    assert found["calibration"] == ["expression 0.0266"]


def test_a_target_of_another_yardstick_and_one_without_any():
    own = {"split": "valid", "against": "labels", "scores": {"accuracy": 0.9}}
    judged = JUDGED | {"elsewhere": {"mood": own, "tone": None}}
    judged["minimum"] = {"mood/accuracy": 0.8, "tone/accuracy": 0.1}
    assert [row[1:] for row in verdict.content(judged)["thresholds"]] == [
        ("0.9000", "at least 0.8", True),
        ("", "at least 0.1", False),
    ]
    found = verdict.result(judged)
    assert (found["step"], list(found["test"])) == (12, [*SCORES, "mood"])


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"last_blessed": None}, "There was no blessed model to compare it with"),
        ({"incomparable": "other labels"}, "It can't be compared with served/2: other"),
        ({"scores": {}, "unscored": "no truth"}, "There was no blessed model"),
    ],
)
def test_a_model_that_had_none_to_beat(more, text):
    found = verdict.content(JUDGED | more)
    assert found["beside"].startswith(text)
    assert found["unscored"] == more.get("unscored", "")
    assert bool(verdict.result(JUDGED | more)) == ("unscored" not in more)


def test_what_was_never_judged_and_what_an_older_version_noted(tmp_path):
    assert verdict.read(str(tmp_path)) == verdict.content({}) == {}
    assert verdict.line({}) == "" and verdict.result({}) is None
    old = {"model": "m", "scores": SCORES, "objections": [], "last_blessed": None}
    (tmp_path / verdict.EVALUATION).write_text(json.dumps(old))
    found = verdict.content(verdict.read(str(tmp_path)))
    assert (found["line"], found["thresholds"]) == ("blessed", [])


@pytest.mark.parametrize("text", ["{", "[]", '{"scores": {}}'])
def test_a_damaged_file_is_one_line(tmp_path, text):
    (tmp_path / verdict.EVALUATION).write_text(text)
    with pytest.raises(UserError, match=r"Can't read .*evaluation\.json"):
        verdict.read(str(tmp_path))

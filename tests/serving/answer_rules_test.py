"""Abstaining, words and other tools' numbers."""

import pytest

from kfer.errors import UserError
from kfer.serving import answer_rules, predict
from kfer.serving.answer_rules import Rules

MOODS = ["neutral", "happy", "sad"]
TARGETS = [
    {"name": "expression", "classes": MOODS, "dimensions": []},
    {"name": "va", "classes": [], "dimensions": ["valence", "arousal"]},
]


def row():
    return {
        "path": "a",
        "expression": predict.class_answer(MOODS, [0.25, 0.6, 0.15]),
        "va": {"valence": 0.5, "arousal": 0.5},
    }


def told(rules, rows):
    return answer_rules.apply(rows, answer_rules.targets(TARGETS, rules), rules)


def test_without_rules_rows_are_the_models():
    assert told(Rules(), [row()]) == [row()]


def test_below_the_confidence_asked_for_no_class_is_told():
    (found,) = told(Rules(min_confidence=0.61), [row()])
    assert found["expression"]["class"] is None
    assert found["expression"]["confidence"] == 0.6
    (found,) = told(Rules(min_confidence=0.6), [row()])
    assert found["expression"]["class"] == "happy"


def test_words_go_with_valence_and_arousal():
    (found,) = told(Rules(words=True), [row()])
    assert found["va"] == {"valence": 0.5, "arousal": 0.5}
    assert found["va words"]["affect"] == "excitement"
    with pytest.raises(UserError, match="no valence and arousal to put into words"):
        answer_rules.targets(TARGETS[:1], Rules(words=True))


def test_another_tools_order_and_numbers():
    rules = Rules(label_order="raf")  # from 1: ... 4 happy, 5 sad, 6 anger, 7 neutral
    (found,) = told(rules, [row()])
    assert found["expression"]["label"] == 4
    assert found["expression"]["class"] == "happy"
    assert list(found["expression"]["probabilities"].items()) == [
        ("happy", 0.6),
        ("sad", 0.15),
        ("neutral", 0.25),
    ]
    (found,) = told(Rules(min_confidence=0.9, label_order="raf"), [row()])
    assert found["expression"]["label"] is None


def test_an_order_without_a_class_is_refused():
    targets = [{"name": "e", "classes": ["happy", "contempt"], "dimensions": []}]
    with pytest.raises(
        UserError,
        match=r"raf has no class 'contempt' of the model's e; orders with it: kfer, ",
    ):
        answer_rules.targets(targets, Rules(label_order="raf"))
    things = [{"name": "class", "classes": ["cat"], "dimensions": []}]
    with pytest.raises(UserError, match=r"no class 'cat' .*: none"):
        answer_rules.targets(things, Rules(label_order="raf"))


@pytest.mark.parametrize(
    ("rules", "flag"),
    [(Rules(label_order="raf"), "label_order"), (Rules(0.5), "min_confidence")],
)
def test_rules_of_classes_need_classes(rules, flag):
    with pytest.raises(UserError, match=f"answers no classes; leave out --{flag}"):
        answer_rules.targets(TARGETS[1:], rules)


def test_rows_without_answers_stay():
    rows = [{"path": "a", "error": "x"}, {"path": "b", "no_face": "none"}]
    assert told(Rules(0.5, True, "raf"), rows) == rows


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_a_share_is_a_share(wrong):
    with pytest.raises(UserError, match=r"is not in \[0, 1\]"):
        Rules(min_confidence=wrong)

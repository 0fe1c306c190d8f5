"""Converters between label orders, by class name."""

import pytest

from kfer.data import label_orders
from kfer.errors import UserError
from kfer.tasks import EXPRESSIONS

# The orders as their owners print them, written out a second time.
PRINTED = {
    "raf": {
        1: "surprise",
        2: "fear",
        3: "disgust",
        4: "happy",
        5: "sad",
        6: "anger",
        7: "neutral",
    },
    "affectnet": dict(enumerate(EXPRESSIONS)),
    "ferplus": dict(
        enumerate(
            (
                "neutral",
                "happy",
                "surprise",
                "sad",
                "anger",
                "disgust",
                "fear",
                "contempt",
            )
        )
    ),
    "fer2013": dict(
        enumerate(("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral"))
    ),
    "alphabetical": dict(
        enumerate(
            (
                "anger",
                "contempt",
                "disgust",
                "fear",
                "happy",
                "neutral",
                "sad",
                "surprise",
            )
        )
    ),
    "alphabetical_7": dict(
        enumerate(("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise"))
    ),
}


@pytest.mark.parametrize("name", sorted(PRINTED))
def test_every_number_becomes_its_class(name):
    order = label_orders.ORDERS[name]
    for number, expression in PRINTED[name].items():
        assert EXPRESSIONS[order.to_kfer(number)] == expression
        assert order.from_kfer(EXPRESSIONS.index(expression)) == number


def test_raf_numbers_are_those_of_the_2021_code():
    # 1->3, 2->4, 3->5, 4->1, 5->2, 6->6, 7->0
    order = label_orders.ORDERS["raf"]
    assert [order.to_kfer(n) for n in range(1, 8)] == [3, 4, 5, 1, 2, 6, 0]


def test_kfer_is_affectnets_order_of_expressions():
    assert label_orders.ORDERS["affectnet"].classes[:8] == EXPRESSIONS


@pytest.mark.parametrize(
    ("name", "numbers"), [("raf", (0, 8, -1)), ("affectnet", (11,)), ("fer2013", (7,))]
)
def test_numbers_out_of_range_raise(name, numbers):
    for number in numbers:
        with pytest.raises(ValueError, match=f"{number} is not in"):
            label_orders.ORDERS[name].to_kfer(number)


@pytest.mark.parametrize(
    ("name", "number", "word"),
    [
        ("affectnet", 8, "none"),
        ("affectnet", 9, "uncertain"),
        ("affectnet", 10, "no_face"),
        ("ferplus", 8, "unknown"),
        ("ferplus", 9, "no_face"),
    ],
)
def test_what_is_no_expression_raises(name, number, word):
    with pytest.raises(ValueError, match=f"'{word}'"):
        label_orders.ORDERS[name].to_kfer(number)


def test_permutation_sorts_probabilities():
    order = label_orders.ORDERS["alphabetical_7"]
    theirs = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]  # anger .. surprise
    ours = [0.0] * 8
    for value, index in zip(theirs, order.permutation()):
        ours[index] = value
    # neutral, happy, sad, surprise, fear, disgust, anger, contempt
    assert ours == [0.5, 0.4, 0.6, 0.7, 0.3, 0.2, 0.1, 0.0]


def test_convert_between_two_orders():
    assert label_orders.convert(3, "raf", "fer2013") == 1  # disgust
    assert label_orders.convert(9, "ferplus", "affectnet") == 10  # no face
    with pytest.raises(ValueError, match="raf has no class 'contempt'"):
        label_orders.convert(7, "ferplus", "raf")


def test_unknown_order_names_the_known():
    with pytest.raises(UserError, match="Unknown label order 'rafdb'; known: kfer"):
        label_orders.order("rafdb")


@pytest.mark.parametrize(
    ("word", "expected"),
    [(" Happiness", "happy"), ("No-Face", "no_face"), ("ANGRY", "anger")],
)
def test_canonical(word, expected):
    assert label_orders.canonical(word) == expected

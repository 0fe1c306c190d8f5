"""Labels in memory, element by element."""

import decimal

import numpy as np
import pandas as pd
import pytest

from kfer.errors import UserError
from kfer.python import elements

NAN = np.nan


def read(rows):
    """(numbers, words, has_decimals), None for NaN."""
    found = elements.read("mood", rows)
    numbers = [None if np.isnan(x) else x for x in found.numbers.flat]
    return numbers, found.words.ravel().tolist(), found.has_decimals


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([["calm ", NAN], [None, ""]], ([None] * 4, ["calm", "", "", ""], False)),
        (["calm", -1], ([None, -1], ["calm", ""], False)),
        ([0, None, NAN], ([0, None, None], [""] * 3, False)),
        ([True, np.bool_(False)], ([1, 0], [""] * 2, False)),
        ([1, 2.5, pd.NA, pd.NaT], ([1, 2.5, None, None], [""] * 4, True)),
        ([decimal.Decimal("0.5")], ([0.5], [""], True)),
        ([NAN, NAN], ([None] * 2, [""] * 2, True)),
        ([None, None], ([None] * 2, [""] * 2, False)),
        (np.array([b"calm"], object), ([None], ["calm"], False)),
        (np.array([1.0, NAN], np.float32), ([1, None], [""] * 2, True)),
        (np.array([1, 0], np.uint8), ([1, 0], [""] * 2, False)),
        (pd.Series([1, None], dtype="Int64"), ([1, None], [""] * 2, False)),
        (pd.DataFrame({"a": ["x", None]}), ([None] * 2, ["x", ""], False)),
        ([np.array([1, 0]), np.array([0, 1])], ([1, 0, 0, 1], [""] * 4, False)),
    ],
)
def test_each_label_is_a_number_a_word_or_none(rows, expected):
    assert read(rows) == expected


def test_words_that_numpy_makes_of_missing_labels():
    found = elements.read("mood", np.array(["calm", NAN, -1, ""]))
    assert found.words.tolist() == ["calm", "nan", "-1", ""]
    assert found.class_words().tolist() == ["calm", "", "", ""]
    assert found.class_words(("calm", "-1")).tolist() == ["calm", "", "-1", ""]


def test_values_of_words():
    found = elements.read("warmth", np.array([2.5, "", NAN]))
    assert found.are_numbers
    assert np.array_equal(found.values("warmth"), [2.5, NAN, NAN], equal_nan=True)
    words = elements.read("warmth", [1.5, "warm"])
    assert not words.are_numbers
    with pytest.raises(UserError, match="^warmth has values, and 'warm' is no number$"):
        words.values("warmth")


@pytest.mark.parametrize("rows", [[[0, 1], [1]], [np.ones((2, 2)), np.ones((2, 3))]])
def test_rows_of_different_lengths(rows):
    with pytest.raises(UserError, match="^Rows of the labels 'mood' differ in length$"):
        elements.read("mood", rows)


def test_a_set():
    with pytest.raises(UserError, match="^The labels 'mood' is a set, which has no or"):
        elements.read("mood", {"calm", "tense"})

"""Labels in memory, element by element: each is a number, a word or none.

numpy makes text of a list that has words beside numbers or NaN, so lists are looked
at before it does.
"""

import decimal
import numbers as numbers_lib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from kfer.errors import UserError
from kfer.python import given

# Texts that numpy makes of missing labels beside words.
_NO_CLASS = ("nan", "-1", "-1.0")
_SEVERAL = (list, tuple, dict, set, frozenset, np.ndarray)


class Elements(NamedTuple):
    """Labels of one kind, of any shape.

    Attributes:
      numbers: float64, NaN where the label is no number.
      words: object, text without spaces around it, '' where the label is no word.
      has_decimals: numbers were given as floats.
    """

    numbers: np.ndarray
    words: np.ndarray
    has_decimals: bool

    @property
    def are_numbers(self) -> bool:
        """Whether every word is a number's."""
        return all(number(word) is not None for word in self.words.flat if word)

    def class_words(self, known: Sequence[str] = ()) -> np.ndarray:
        """The words, '' for those that numpy makes of missing labels.

        Args:
          known: names of classes, which are never missing labels.
        """
        marks = [word for word in _NO_CLASS if word not in known]
        return np.where(np.isin(self.words, marks), "", self.words)

    def values(self, name: str) -> np.ndarray:
        """float64, NaN where none; raises UserError for a word that is no number's."""
        found = self.numbers.copy()
        for place, word in np.ndenumerate(self.words):
            if not word:
                continue
            if (value := number(word)) is None:
                raise UserError(f"{name} has values, and {word!r} is no number")
            found[place] = value
        return found


def read(name: str, rows: Any) -> Elements:
    """Sorts labels by what they are.

    Args:
      name: of the kind, for messages.
      rows: an array, a frame or nested lists. None, NaN, NaT and '' are none.

    Raises:
      UserError: a set, or rows of different lengths.
    """
    given.check_order(f"The labels {name!r}", rows)
    part = _array(name, rows)
    if part.dtype.kind in "biuf":
        words = np.full(part.shape, "", object)
        return Elements(part.astype(np.float64), words, part.dtype.kind == "f")
    found = np.full(part.shape, np.nan)
    words = np.full(part.shape, "", object)
    floats: set[bool] = set()  # of numbers, whether they are floats
    for place, label in np.ndenumerate(part):
        if isinstance(label, _SEVERAL):
            raise UserError(f"Rows of the labels {name!r} differ in length")
        if pd.isna(label):
            continue
        if isinstance(label, (numbers_lib.Real, decimal.Decimal, np.bool_)):
            found[place] = float(label)
            floats.add(not isinstance(label, (numbers_lib.Integral, np.bool_)))
        else:
            text = label.decode("utf-8") if isinstance(label, bytes) else str(label)
            words[place] = text.strip()
    nothing = not floats and not words.any()
    only_nan = nothing and any(isinstance(label, float) for label in part.flat)
    return Elements(found, words, True in floats or only_nan)


def _array(name: str, rows: Any) -> np.ndarray:
    if hasattr(rows, "__array__"):
        return np.asarray(rows)
    try:
        return np.array(rows, object)
    except ValueError as error:
        raise UserError(f"Rows of the labels {name!r} differ in length") from error


def number(word: str) -> float | None:
    """The number that a text is; None if it is none."""
    try:
        return float(word)
    except ValueError:
        return None

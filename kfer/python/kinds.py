"""Labels that a user has in memory, of several kinds, as numbers with their meaning."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from kfer.data.importing import headers
from kfer.data.importing import roles as roles_lib
from kfer.data.importing.classes import folded
from kfer.errors import UserError
from kfer.python import elements
from kfer.python import given as given_lib
from kfer.python.elements import Elements

LABEL = "label"
# Columns of the table that is written, beside those of labels.
ROLES = ("image", "annotator", "split", "subject")
T = TypeVar("T")


class Kinds:
    """Kinds of labels by name: arrays of classes' numbers (-1) or values (NaN).

    Attributes:
      labels: kind -> [N, A] or [L].
      truth: kind -> [N].
      classes: kind of classes -> names.
      scales: kind of values -> lowest and highest, where given.
    """

    def __init__(self, labels: Any, truth: Any, classes: Any, scales: Any):
        labels, truth = _named(labels), _named(truth)
        names = [*labels, *(name for name in truth if name not in labels)]
        listed = _said("classes", classes, names, given_lib.names)
        ranges = _said("scales", scales, names, given_lib.scale)
        if listed.of_all and ranges.of_all:
            raise UserError(
                "classes and scales are both given for all labels; say which kind has "
                "which, as classes={'mood': [...]}, scales={'warmth': (1, 9)}"
            )
        every = [*labels.values(), *truth.values()]
        any_decimals = any(part.has_decimals for part in every)
        self.labels: dict[str, np.ndarray] = {}
        self.truth: dict[str, np.ndarray] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.scales: dict[str, tuple[float, float]] = {}
        for name in names:
            _check_name(name)
            parts = [p[name] for p in (labels, truth) if name in p]
            if _are_values(name, parts, listed, ranges, any_decimals):
                if scale := ranges.of(name):
                    self.scales[name] = scale
                coded = [values(name, part, scale) for part in parts]
            else:
                known = listed.of(name) or _found(name, parts)
                _check_different(name, known)
                self.classes[name] = known
                coded = [codes(name, part, known) for part in parts]
            for part, found in ((labels, self.labels), (truth, self.truth)):
                if name in part:
                    found[name] = coded.pop(0)
        listed.check_used(self.classes, "classes")
        ranges.check_used(self.scales, "values")

    def options(self, frame: pd.DataFrame) -> dict[str, Any]:
        """How importing reads the table that is written of them."""
        return {
            "delimiter": ",",
            "encoding": "utf-8",
            "decimal": ".",
            "missing": ("",),
            "columns": {role: role for role in ROLES if role in frame},
            "labels": tuple(n for n in self.classes if n in frame),
            "classes": {
                name: tuple(f"{i}:{c}" for i, c in enumerate(known))
                for name, known in self.classes.items()
            },
            "scales": self.scales,
        }


@dataclasses.dataclass(frozen=True)
class _Said(Generic[T]):
    """What classes= or scales= says: of kinds by name, or of all that it can be of."""

    what: str
    by_name: Mapping[str, T]
    of_all: T | None

    def of(self, name: str) -> T | None:
        return self.by_name.get(name, self.of_all)

    def check_used(self, kinds: Mapping[str, Any], nature: str) -> None:
        if self.of_all and not kinds:
            raise UserError(
                f"{self.what}={self.of_all!r} is given, and no labels are {nature}"
            )


def _said(
    what: str, given: Any, names: Sequence[str], check: Callable[[str, Any], T]
) -> _Said[T]:
    if not isinstance(given, Mapping):
        # An empty one of either is as good as none.
        is_none = given is None or (hasattr(given, "__len__") and not len(given))
        return _Said(what, {}, None if is_none else check(what, given))
    if unknown := [name for name in given if name not in names]:
        raise UserError(
            f"{what} has {unknown[0]!r}, which is no kind of labels here: "
            f"{', '.join(names)}"
        )
    rows = {name: check(f"{what} of {name!r}", row) for name, row in given.items()}
    return _Said(what, {name: row for name, row in rows.items() if row}, None)


def _named(labels: Any) -> dict[str, Elements]:
    if labels is None:
        return {}
    by_name = labels if isinstance(labels, Mapping) else {LABEL: labels}
    return {str(name): elements.read(name, rows) for name, rows in by_name.items()}


def _check_name(name: str) -> None:
    if not name.isidentifier() or not roles_lib.names_labels(name):
        raise UserError(
            f"A kind of labels can't be called {name!r}: letters, digits and _, and no "
            "word for a picture, a person, the truth or a single expression"
        )


def _are_values(
    name: str,
    parts: Sequence[Elements],
    listed: _Said[tuple[str, ...]],
    ranges: _Said[tuple[float, float]],
    any_decimals: bool,
) -> bool:
    """Whether a kind has values; else it has classes.

    One scale for all is of the kinds with decimals, where there are any, or of all that
    are numbers.
    """
    of_classes = name in listed.by_name
    is_dimension = name in headers.DIMENSIONS
    if of_classes and (is_dimension or name in ranges.by_name):
        why = "are values by their name" if is_dimension else "have a scale"
        raise UserError(f"classes are given for {name!r}, whose labels {why}")
    if is_dimension or name in ranges.by_name:
        return True
    if of_classes or listed.of_all:
        return False
    if ranges.of_all:
        are_numbers = all(part.are_numbers for part in parts)
        has_decimals = any(part.has_decimals for part in parts)
        return are_numbers and (has_decimals or not any_decimals)
    if any(part.words.any() for part in parts):
        return False
    if any(part.has_decimals for part in parts):
        raise UserError(
            f"{name} has numbers with decimals; say its lowest and highest "
            f"value, as scales={{{name!r}: (1, 9)}}, or give whole numbers"
        )
    return False


def values(name: str, part: Elements, scale: tuple[float, float] | None) -> np.ndarray:
    """float64 of the labels' shape, NaN where none.

    Args:
      name: of the kind.
      part: its labels.
      scale: lowest and highest value; where it doesn't reach -1, that is none.

    Raises:
      UserError: a word.
    """
    found = part.values(name)
    if scale and not scale[0] <= -1 <= scale[1]:
        found[found == -1] = np.nan
    return found


def _found(name: str, parts: Sequence[Elements]) -> tuple[str, ...]:
    """The classes of labels that come without a list of them."""
    words = Counter(w for part in parts for w in part.class_words().flat if w)
    numbers = np.concatenate([part.numbers.ravel() for part in parts])
    numbers = numbers[numbers >= 0]
    if not words:
        highest = int(numbers.max()) if numbers.size else 1
        return tuple(f"class {i}" for i in range(max(highest + 1, 2)))
    if numbers.size:
        raise UserError(
            f"{name} has words ({min(words)!r}) and numbers ({numbers[0]:g}); say "
            f"which number is which, as classes={{{name!r}: [...]}}"
        )
    spellings: dict[str, list[str]] = {}
    for word in words:
        spellings.setdefault(folded(word), []).append(word)
    are_numbers = all(elements.number(key) is not None for key in spellings)
    return tuple(
        max(spellings[key], key=lambda word: (words[word], word))
        for key in sorted(spellings, key=float if are_numbers else str)
    )


def _check_different(name: str, known: Sequence[str]) -> None:
    first: dict[str, str] = {}
    for word in known:
        if (other := first.setdefault(folded(word), word)) != word:
            raise UserError(
                f"The classes of {name!r} have {other!r} and {word!r}, which are one: "
                "case and spaces around it don't count"
            )


def codes(name: str, part: Elements, known: Sequence[str]) -> np.ndarray:
    """int64 of the labels' shape, -1 where none.

    Args:
      name: of the kind.
      part: its labels, numbers of classes or their names in any case.
      known: the classes.

    Raises:
      UserError: a number or word that is no class's.
    """
    found = _whole(name, part.numbers)
    if odd := sorted({int(v) for v in found.flat if not -1 <= v < len(known)}):
        raise UserError(
            f"{name} has the number {odd[0]}; classes are 0 to {len(known) - 1}, and "
            "-1 is none"
        )
    number = {folded(word): i for i, word in enumerate(known)}
    exactly = {word: i for i, word in enumerate(known)}
    for place, word in np.ndenumerate(part.class_words(known)):
        if not word:
            continue
        code = exactly.get(word, number.get(folded(word)))
        if code is None:
            raise UserError(f"{name} has {word!r}, which is none of {list(known)}")
        found[place] = code
    return found


def _whole(name: str, part: np.ndarray) -> np.ndarray:
    """int64, -1 for NaN."""
    filled = np.where(np.isnan(part), -1.0, part)
    if (odd := filled != np.floor(filled)).any():
        raise UserError(f"{name} has {filled[odd][0]:g}, which is no class's number")
    return filled.astype(np.int64)


def is_missing(part: np.ndarray) -> np.ndarray:
    """Where a coded label is none."""
    return np.isnan(part) if part.dtype.kind == "f" else part < 0

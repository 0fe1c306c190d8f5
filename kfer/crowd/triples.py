"""Labels of a crowd as they come: which picture, which annotator, what was said.

A table with a column for each annotator has mostly empty cells once there are more than
a few: 747 people who each label 200 of 50,000 pictures fill 0.4 % of it. Here only the
labels that exist take memory and time.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Iterable

import numpy as np
from scipy import sparse

from kfer.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class Triples:
    """L class labels of N items by A annotators, in any order."""

    item: np.ndarray  # int64 [L], 0 to N - 1
    annotator: np.ndarray  # int64 [L], 0 to A - 1
    label: np.ndarray  # int64 [L], 0 to K - 1
    num_items: int  # N
    num_annotators: int  # A
    num_classes: int  # K
    keys: np.ndarray | None = None  # [N], see keys_of; by default an item's number

    def __post_init__(self):
        _check_places(self)
        if len(self.label) and not 0 <= self.label.min() <= self.label.max() < (
            self.num_classes
        ):
            raise UserError(
                f"A class label lies outside 0 to {self.num_classes - 1}: "
                f"{self.label.min()} to {self.label.max()}"
            )

    @classmethod
    def of_sets(
        cls,
        label_sets: np.ndarray,
        num_classes: int,
        keys: np.ndarray | None = None,
    ) -> "Triples":
        """From label sets [A, N], integers, below 0 where missing."""
        sets = np.asarray(label_sets)
        annotator, item = np.nonzero(sets >= 0)
        label = sets[annotator, item].astype(np.int64)
        sizes = sets.shape[1], len(sets), num_classes
        return cls(item, annotator, label, *sizes, keys)

    @functools.cached_property
    def says(self) -> sparse.csr_matrix:
        """How often item i was called l by a: float64 [N, A * K], column a * K + l.

        Sums over an item's labels are products with it; those over an annotator's,
        products with its transpose.
        """
        column = self.annotator * self.num_classes + self.label
        shape = self.num_items, self.num_annotators * self.num_classes
        return _counted(self.item, column, shape)

    @functools.cached_property
    def heard(self) -> sparse.csr_matrix:
        """The transpose of `says`, stored by row."""
        return self.says.T.tocsr()

    def votes(self) -> np.ndarray:
        """Labels of each class that an item got, float64 [N, K]."""
        size = self.num_items * self.num_classes
        place = self.item * self.num_classes + self.label
        votes = np.bincount(place, minlength=size).astype(np.float64)
        return votes.reshape(self.num_items, self.num_classes)

    def of_annotator(self) -> np.ndarray:
        """Labels that each annotator gave, int64 [A]."""
        return np.bincount(self.annotator, minlength=self.num_annotators)

    def of_item(self) -> np.ndarray:
        """Labels that each item got, int64 [N]."""
        return np.bincount(self.item, minlength=self.num_items)

    def where(self, kept: np.ndarray) -> "Triples":
        """The labels where `kept` [L] is true, of the same items and annotators."""
        return dataclasses.replace(
            self,
            item=self.item[kept],
            annotator=self.annotator[kept],
            label=self.label[kept],
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Values:
    """L values of N items by A annotators, in any order."""

    item: np.ndarray  # int64 [L]
    annotator: np.ndarray  # int64 [L]
    value: np.ndarray  # float64 [L], finite
    num_items: int
    num_annotators: int
    keys: np.ndarray | None = None  # [N], see keys_of; by default an item's number

    def __post_init__(self):
        _check_places(self)
        if not np.isfinite(self.value).all():
            raise UserError("A value of the crowd is not a finite number; leave it out")

    @classmethod
    def of_sets(
        cls, value_sets: np.ndarray, keys: np.ndarray | None = None
    ) -> "Values":
        """From value sets [A, N], NaN where missing."""
        sets = np.asarray(value_sets, np.float64)
        annotator, item = np.nonzero(~np.isnan(sets))
        value = sets[annotator, item]
        return cls(item, annotator, value, sets.shape[1], len(sets), keys)

    def where(self, kept: np.ndarray) -> "Values":
        """The values where `kept` [L] is true, of the same items and annotators."""
        return dataclasses.replace(
            self,
            item=self.item[kept],
            annotator=self.annotator[kept],
            value=self.value[kept],
        )

    def scaled(self, shift: float, unit: float) -> "Values":
        """The values less `shift`, in `unit`s."""
        return dataclasses.replace(self, value=(self.value - shift) / unit)

    def by_item(self, per_value: np.ndarray) -> np.ndarray:
        """Sums [N] of numbers [L]."""
        return np.bincount(self.item, per_value, minlength=self.num_items)

    def by_annotator(self, per_value: np.ndarray) -> np.ndarray:
        """Sums [A] of numbers [L]."""
        return np.bincount(self.annotator, per_value, minlength=self.num_annotators)


def keys_of(names: Iterable[str]) -> np.ndarray:
    """Numbers of items that follow from their names alone, uint64 [N].

    With them the same picture's labels fall in the same folds, whatever the order of
    pictures and whichever others there are.
    """
    digests = (
        hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
        for name in names
    )
    return np.array([int.from_bytes(part, "big") for part in digests], np.uint64)


def fold(labels: Triples | Values, folds: int) -> np.ndarray:
    """The fold 0 to folds - 1 of each label, int64 [L].

    By a hash of item and annotator, so that neither the order of the labels nor a
    generator decides, and the same pair always falls in the same fold.
    """
    item = labels.item if labels.keys is None else labels.keys[labels.item]
    pair = item.astype(np.uint64) * np.uint64(0x1F123BB5)
    pair += labels.annotator.astype(np.uint64) + np.uint64(1)
    return (mixed(pair) % np.uint64(folds)).astype(int)


def mixed(numbers: np.ndarray) -> np.ndarray:
    """A hash of integers, uint64: the finaliser of SplitMix64 (Steele et al., 2014)."""
    x = np.asarray(numbers).astype(np.uint64)
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _counted(row, column, shape) -> sparse.csr_matrix:
    ones = np.ones(len(row))
    return sparse.coo_matrix((ones, (row, column)), shape).tocsr()


def _check_places(labels) -> None:
    for what, numbers, size in (
        ("item", labels.item, labels.num_items),
        ("annotator", labels.annotator, labels.num_annotators),
    ):
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < size:
            raise UserError(
                f"The {what} of a label lies outside 0 to {size - 1}: "
                f"{numbers.min()} to {numbers.max()}"
            )

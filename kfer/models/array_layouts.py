"""How one array of the 2021 code lies in our variables, there and back.

Each layout turns the arrays of the variables that hold a parameter into PyTorch's array
(`to_authors`), and that array into what the variables are to hold (`from_authors`; it
also gets what they hold now, since a variable may hold more than one parameter).
"""

import dataclasses
from typing import Protocol

import numpy as np

Parts = list[np.ndarray]


class Layout(Protocol):
    """What each of the classes below does."""

    def to_authors(self, parts: Parts) -> np.ndarray:
        """The variables' arrays as PyTorch's array."""

    def from_authors(self, array: np.ndarray, old: Parts) -> Parts:
        """PyTorch's array as the variables' arrays."""


@dataclasses.dataclass(frozen=True)
class Transposed:
    """One variable; PyTorch's axes are `order` of ours, () for the same."""

    order: tuple[int, ...] = ()

    def to_authors(self, parts: Parts) -> np.ndarray:
        return parts[0].transpose(self.order) if self.order else parts[0]

    def from_authors(self, array: np.ndarray, old: Parts) -> Parts:
        return [array.transpose(np.argsort(self.order)) if self.order else array]


@dataclasses.dataclass(frozen=True)
class Joined:
    """One variable a task where PyTorch has one layer for all: kernels [E, size] are
    rows of its (sum of sizes, E), biases follow each other."""

    sizes: tuple[int, ...]

    def to_authors(self, parts: Parts) -> np.ndarray:
        return np.concatenate([part.T for part in parts])

    def from_authors(self, array: np.ndarray, old: Parts) -> Parts:
        return [part.T for part in np.split(array, np.cumsum(self.sizes)[:-1])]


@dataclasses.dataclass(frozen=True)
class Flattened:
    """The layer after flattening a map of `side`: (H, W, C) here, (C, H, W) there."""

    side: int

    def to_authors(self, parts: Parts) -> np.ndarray:
        units = parts[0].shape[1]
        cube = parts[0].reshape(self.side, self.side, -1, units)
        return cube.transpose(3, 2, 0, 1).reshape(units, -1)

    def from_authors(self, array: np.ndarray, old: Parts) -> Parts:
        cube = array.reshape(len(array), -1, self.side, self.side)
        return [cube.transpose(2, 3, 1, 0).reshape(-1, len(array))]


@dataclasses.dataclass(frozen=True)
class Row:
    """A vector there, a matrix of one row here: the power iteration's u."""

    def to_authors(self, parts: Parts) -> np.ndarray:
        return parts[0][0]

    def from_authors(self, array: np.ndarray, old: Parts) -> Parts:
        return [array[None]]


@dataclasses.dataclass(frozen=True)
class PartOf:
    """One of several parallel layers that are stacked in one variable here.

    Attributes:
      where: place in the variable, (layer,) or (layer, row).
    """

    where: tuple[int, ...]

    def to_authors(self, parts: Parts) -> np.ndarray:
        return parts[0][self.where].T

    def from_authors(self, array: np.ndarray, old: Parts) -> Parts:
        stacked = old[0].copy()
        stacked[self.where] = array.T
        return [stacked]

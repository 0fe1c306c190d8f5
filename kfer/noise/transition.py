"""Confusion (transition) matrices T[true, given], Eq. 1-2 of the paper.

Row-stochastic: T[i, j] is the probability that an annotator says j when the truth is i.
"""

from collections.abc import Mapping

import numpy as np

from kfer.errors import UserError
from kfer.noise import flips

_TOLERANCE = 1e-6


def check(matrix: np.ndarray, num_classes: int | None = None) -> np.ndarray:
    """The matrix as float64 [K, K] whose rows sum to 1.

    Raises:
      UserError: it is not square, not of `num_classes`, has a negative or non-finite
        entry, or a row's sum is off 1 by more than 1e-6.
    """
    values = np.asarray(matrix, np.float64)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) < 2:
        raise UserError(f"A confusion matrix is square [K, K], got {values.shape}")
    if num_classes is not None and len(values) != num_classes:
        raise UserError(
            f"The confusion matrix has {len(values)} classes, expected {num_classes}"
        )
    if not np.all(np.isfinite(values)) or np.any(values < 0):
        raise UserError("The confusion matrix has an entry that is no probability")
    sums = values.sum(axis=1, keepdims=True)
    if np.any(np.abs(sums - 1.0) > _TOLERANCE):
        row = int(np.argmax(np.abs(sums - 1.0)))
        raise UserError(
            f"Row {row} of the confusion matrix sums to {sums[row, 0]:.6g}, expected 1"
        )
    return values / sums


def symmetric(num_classes: int, rate: float) -> np.ndarray:
    """[K, K]: every class is mistaken with probability `rate`, for all others alike."""
    rate = flips.check_rate(rate)
    if num_classes < 2:
        raise UserError(f"Label noise needs at least 2 classes, got {num_classes}")
    matrix = np.full((num_classes, num_classes), rate / (num_classes - 1))
    np.fill_diagonal(matrix, 1.0 - rate)
    return matrix


def pair(num_classes: int, rate: float, pairs: Mapping[int, int]) -> np.ndarray:
    """[K, K]: each class of `pairs` is mistaken for its partner at this rate."""
    rate, matrix = flips.check_rate(rate), np.eye(num_classes)
    for source, other in flips.check_pairs(pairs, num_classes).items():
        matrix[source, source], matrix[source, other] = 1.0 - rate, rate
    return matrix


def sample(
    labels: np.ndarray, matrix: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """What an annotator with this confusion matrix answers.

    Args:
      labels: true classes [n], below 0 where unknown.
      matrix: [K, K].
      rng: source of the draw; one uniform number for each label.

    Returns:
      int64 [n], -1 where the truth is unknown.

    Raises:
      UserError: a label out of range or a bad matrix.
    """
    matrix = check(matrix)
    truth = flips.check_labels(labels, len(matrix))
    cumulative = np.cumsum(matrix, axis=1)
    cumulative[:, -1] = 1.0
    draws = rng.random(truth.shape)
    # Counting the bounds at or below the draw never picks a class of probability 0.
    given = np.sum(cumulative[np.maximum(truth, 0)] <= draws[..., None], axis=-1)
    return np.where(truth >= 0, given, -1)


def expected_noise(matrix: np.ndarray, prior: np.ndarray | None = None) -> float:
    """Noise rate under class frequencies `prior` [K], all alike if None."""
    matrix = check(matrix)
    weights = np.ones(len(matrix)) if prior is None else np.asarray(prior, np.float64)
    if weights.shape != (len(matrix),) or weights.min() < 0 or not weights.sum() > 0:
        raise UserError(
            f"Class frequencies {weights.tolist()} don't fit {len(matrix)} classes"
        )
    return float(weights @ (1.0 - np.diag(matrix)) / weights.sum())


def estimate(given: np.ndarray, clean: np.ndarray, num_classes: int) -> np.ndarray:
    """The confusion matrix seen in labels whose truth is known.

    Args:
      given: labels [n], below 0 where missing.
      clean: true classes [n], below 0 where unknown.
      num_classes: K.

    Returns:
      [K, K]. Rows of classes that never occur are all 0: unknown, not guessed.

    Raises:
      UserError: a label out of range or the two differ in length.
    """
    given, truth = (flips.check_labels(x, num_classes) for x in (given, clean))
    if given.shape != truth.shape:
        raise UserError(
            f"{given.shape} labels can't be compared with {truth.shape} clean labels"
        )
    known = (given >= 0) & (truth >= 0)
    cells = truth[known] * num_classes + given[known]
    counts = np.bincount(cells, minlength=num_classes**2).astype(np.float64)
    counts = counts.reshape(num_classes, num_classes)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)

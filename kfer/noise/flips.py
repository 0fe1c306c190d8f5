"""Random flips of class labels, their achieved rate, and the majority of label sets.

Labels are integers 0..num_classes-1; below 0 means missing and stays missing.
"""

import random
from collections.abc import Mapping, Sequence

import numpy as np

from kfer.errors import UserError

SEMANTICS = ("exclusive", "inclusive")


def check_rate(rate: float) -> float:
    """The rate as a float.

    Raises:
      UserError: it is no number in [0, 1].
    """
    try:
        value = float(rate)
    except (TypeError, ValueError):
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise UserError(f"Noise rate {rate!r} is not in [0, 1]; 0.2 flips 20 %")
    return value


def check_labels(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """The labels as a new int64 array.

    Raises:
      UserError: a label is no integer or not below num_classes, or there are fewer than
        two classes.
    """
    values = np.asarray(labels)
    if num_classes < 2:
        raise UserError(f"Label noise needs at least 2 classes, got {num_classes}")
    if values.size and not np.issubdtype(values.dtype, np.integer):
        raise UserError(f"Class labels are integers, got an array of {values.dtype}")
    if values.size and values.max() >= num_classes:
        raise UserError(
            f"Label {values.max()} is not in 0..{num_classes - 1} (below 0: missing)"
        )
    return values.astype(np.int64)


def _choose(
    candidates: np.ndarray, rate: float, rng: np.random.Generator
) -> np.ndarray:
    return rng.choice(candidates, round(rate * len(candidates)), replace=False)


def flip_labels(
    labels: np.ndarray,
    rate: float,
    num_classes: int,
    rng: np.random.Generator,
    semantics: str = "exclusive",
) -> np.ndarray:
    """Labels with a share replaced at random.

    Args:
      labels: integers [n], below 0 where missing.
      rate: share to replace, in [0, 1], of the labels that are not missing.
      num_classes: K.
      rng: source of the draw.
      semantics: 'exclusive' moves exactly round(rate n) labels, chosen without
        replacement, to another class, each of the K - 1 as likely: the rate asked is
        the rate got. 'inclusive' is the 2021 code's: each label is chosen with
        probability `rate` and drawn anew from all K classes, so it may keep its class;
        the expected noise is rate (K - 1) / K.

    Returns:
      int64 [n].

    Raises:
      UserError: a rate outside [0, 1], a label out of range, an unknown semantics.
    """
    rate, noisy = check_rate(rate), check_labels(labels, num_classes)
    given = np.flatnonzero(noisy >= 0)
    if semantics == "exclusive":
        chosen = _choose(given, rate, rng)
        steps = rng.integers(1, num_classes, len(chosen))
        noisy[chosen] = (noisy[chosen] + steps) % num_classes
    elif semantics == "inclusive":
        chosen = given[rng.random(len(given)) < rate]
        noisy[chosen] = rng.integers(0, num_classes, len(chosen))
    else:
        raise UserError(f"Unknown flip semantics {semantics!r}; known: {SEMANTICS}")
    return noisy


def flip_pairs(
    labels: np.ndarray,
    rate: float,
    num_classes: int,
    pairs: Mapping[int, int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Labels with a share moved to a fixed other class each (class-dependent noise).

    Args:
      labels: integers [n], below 0 where missing.
      rate: exactly round(rate m) labels move, m being the labels whose class is in
        `pairs`.
      num_classes: K.
      pairs: class -> the class it is mistaken for.
      rng: source of the draw.

    Returns:
      int64 [n].

    Raises:
      UserError: as flip_labels; a pair out of range or of a class with itself.
    """
    rate, noisy = check_rate(rate), check_labels(labels, num_classes)
    target = np.arange(num_classes)
    for source, other in check_pairs(pairs, num_classes).items():
        target[source] = other
    movable = np.flatnonzero((noisy >= 0) & np.isin(noisy, list(pairs)))
    chosen = _choose(movable, rate, rng)
    noisy[chosen] = target[noisy[chosen]]
    return noisy


def check_pairs(pairs: Mapping[int, int], num_classes: int) -> Mapping[int, int]:
    """The pairs; raises UserError if one is out of range or maps a class to itself."""
    for source, other in pairs.items():
        inside = 0 <= source < num_classes and 0 <= other < num_classes
        if not inside or source == other:
            raise UserError(
                f"Class pair {source}->{other} needs two different classes in "
                f"0..{num_classes - 1}"
            )
    return pairs


def authors_2021_label_sets(
    labels: Sequence[int],
    rates: Sequence[float],
    num_classes: int = 10,
    seed: int = 100,
) -> np.ndarray:
    """The very label sets of the 2021 CIFAR-10 experiment, from its sequence of draws.

    Python's own generator, seeded once; set after set and example after example, one
    uniform number and, if it is below the rate, one of all classes.

    Args:
      labels: true classes [n], in the order of the official batch files.
      rates: one per set.
      num_classes: K.
      seed: 100 in the 2021 code.

    Returns:
      int64 [len(rates), n].
    """
    clean = check_labels(np.asarray(labels), num_classes)
    draws = random.Random(seed)
    sets = np.tile(clean, (len(rates), 1))
    for row, rate in zip(sets, map(check_rate, rates), strict=True):
        for i in range(len(row)):
            if draws.uniform(0.0, 1.0) < rate:
                row[i] = draws.randint(0, num_classes - 1)
    return sets


def noise_rate(labels: np.ndarray, clean: np.ndarray) -> float | None:
    """Share of labels that differ from the truth.

    Args:
      labels: integers [n], below 0 where missing.
      clean: integers [n], below 0 where unknown.

    Returns:
      A number in [0, 1] over the examples where both are known; None if there is none.

    Raises:
      UserError: the two differ in length.
    """
    given, truth = np.asarray(labels), np.asarray(clean)
    if given.shape != truth.shape:
        raise UserError(
            f"{given.shape} labels can't be compared with {truth.shape} clean labels"
        )
    known = (given >= 0) & (truth >= 0)
    return float(np.mean(given[known] != truth[known])) if known.any() else None


def majority_vote(label_sets: np.ndarray, num_classes: int | None = None) -> np.ndarray:
    """The most frequent label of each example.

    A tie goes to the tied class that the earliest set gives, as in the 2021 code
    (Counter.most_common); three sets that all differ go by the first. Missing labels
    don't vote.

    Args:
      label_sets: integers [k, n], below 0 where missing.
      num_classes: K; one more than the greatest label if None.

    Returns:
      int64 [n]; -1 where every set is missing.

    Raises:
      UserError: not a [k, n] array with k > 0, or a label out of range.
    """
    sets = np.asarray(label_sets)
    if sets.ndim != 2 or not len(sets):
        raise UserError(f"A vote needs label sets [k, n], got shape {sets.shape}")
    sets = check_labels(sets, num_classes or max(2, int(sets.max(initial=1)) + 1))
    # [k, n]: how many sets agree with this one; argmax takes the first of equals.
    support = np.sum(sets[:, None] == sets[None], axis=1) * (sets >= 0)
    winner = np.argmax(support, axis=0)
    return np.where(
        support.max(axis=0) > 0, np.take_along_axis(sets, winner[None], 0)[0], -1
    )

"""The truth behind a crowd's values: Gaussian annotators, by EM.

Annotator a gives of an item whose value is y

  bias_a + scale_a * y + spread_a * noise,

y being normal with the items' mean and spread, noise normal and independent (V. C.
Raykar et al., Learning from crowds, JMLR 11, 2010, section 4.2, with bias and scale
besides). What the labels leave open, a shift and
a stretch of the truth, is settled by the crowd: what it says of the mean item is right
on average over the values, and so is its scale.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kfer.crowd.triples import Values, fold
from kfer.errors import UserError

STRENGTHS = (100.0, 30.0, 10.0, 3.0, 1.0)
MAX_ITERATIONS = 200
TOLERANCE = 1e-5  # of the change of any number, where values have the spread 1
FOLDS = 4


class ValueConsensus(NamedTuple):
    """What EM found."""

    mean: np.ndarray  # [N] of the truth given the values; NaN without one
    deviation: np.ndarray  # [N] of the same; NaN without a value
    bias: np.ndarray  # [A], in units of the values
    scale: np.ndarray  # [A], 1 as the crowd, 0 says nothing of the picture
    spread: np.ndarray  # [A], above 0, in units of the values
    items: tuple[float, float]  # mean and spread of the items' truth
    strength: float  # of the shrinkage, in values
    iterations: int
    converged: bool


def fit(
    values: Values, strength: float = 10.0, max_iterations: int = MAX_ITERATIONS
) -> ValueConsensus:
    """Fits the model by EM from the mean of an item's values, without a draw.

    Args:
      values: L values of N items by A annotators.
      strength: each annotator is given that many values more of a faithful one (bias 0,
        scale 1) with the crowd's spread. Above 0.
      max_iterations: it stops there, converged or not.

    Raises:
      UserError: no value at all.
    """
    if not len(values.value):
        raise UserError(
            f"None of {values.num_annotators} annotators gave a value; no consensus"
        )
    unit = max(float(values.value.std()), 1e-12)
    shift = float(values.value.mean())
    scaled = (values.value - shift) / unit
    state = _start(values, scaled, strength)
    iteration, change = 0, np.inf
    while change >= TOLERANCE and iteration < max_iterations:
        iteration += 1
        mean, variance = _expect(values, scaled, *state)
        before, state = state, _maximise(values, scaled, mean, variance, strength)
        change = max(np.max(np.abs(a - b)) for a, b in zip(state, before, strict=True))
    mean, variance = _expect(values, scaled, *state)
    return _in_units(
        values, mean, variance, state, (shift, unit), strength, iteration, change
    )


def fit_held_out(
    values: Values, strengths: Sequence[float] = STRENGTHS, folds: int = FOLDS
) -> ValueConsensus:
    """The fit with the strength under which held-out values are most probable.

    Args:
      values: L values of N items by A annotators.
      strengths: to try in this order until one is worse than the last, above 0.
      folds: the values are held out by turns in that many parts, by hash.
    """
    best, score = strengths[0], -np.inf
    for strength in strengths:
        found = held_out(values, strength, folds)
        if found < score:
            break
        best, score = strength, found
    return fit(values, best)


def held_out(values: Values, strength: float, folds: int = FOLDS) -> float:
    """The mean log density of a value, by fits to the other parts of the values."""
    part = fold(values, folds)
    total = 0.0
    for number in range(folds):
        rest, held = values.where(part != number), values.where(part == number)
        if not len(held.value):
            continue
        if not len(rest.value):
            return -np.inf
        total += log_density(fit(rest, strength, 50), held).sum()
    return total / max(len(values.value), 1)


def log_density(found: ValueConsensus, held: Values) -> np.ndarray:
    """The log density [L] that a fit gives to values which it has not seen."""
    known = np.isfinite(found.mean)
    mean = np.where(known, found.mean, found.items[0])[held.item]
    deviation = np.where(known, found.deviation, found.items[1])[held.item]
    bias, scale = found.bias[held.annotator], found.scale[held.annotator]
    variance = found.spread[held.annotator] ** 2 + (scale * deviation) ** 2
    off = held.value - bias - scale * mean
    return -0.5 * (np.log(2 * np.pi * variance) + off**2 / variance)


def _start(values: Values, scaled: np.ndarray, strength: float):
    """The state after the mean of an item's values is taken for its truth."""
    count = values.by_item(np.ones(len(scaled)))
    mean = values.by_item(scaled) / np.maximum(count, 1)
    return _maximise(values, scaled, mean, 1.0 / (1.0 + count), strength)


def _expect(values: Values, scaled, bias, scale, variance, items):
    """E-step: mean [N] and variance [N] of each item's truth."""
    a = values.annotator
    weight = scale[a] / variance[a]
    precision = 1.0 / items[1] + values.by_item(weight * scale[a])
    centre = items[0] / items[1] + values.by_item(weight * (scaled - bias[a]))
    return centre / precision, 1.0 / precision


def _maximise(values: Values, scaled, mean, variance, strength: float):
    """M-step: bias, scale, variance of each annotator; mean and variance of items.

    A line through each annotator's values over the truth, by least squares, with
    `strength` more values on the line of the crowd, spread as the items are.
    """
    labelled = values.by_item(np.ones(len(scaled))) > 0
    items = np.array([mean[labelled].mean(), 0.0])
    items[1] = max(np.mean((mean[labelled] - items[0]) ** 2 + variance[labelled]), 1e-6)
    y, doubt = mean[values.item] - items[0], variance[values.item]
    n = values.by_annotator(np.ones(len(y))) + strength
    sum_y = values.by_annotator(y)
    sum_yy = values.by_annotator(y**2 + doubt) + strength * items[1]
    sum_x = values.by_annotator(scaled - items[0])
    sum_xy = values.by_annotator((scaled - items[0]) * y) + strength * items[1]
    scale = (n * sum_xy - sum_x * sum_y) / np.maximum(n * sum_yy - sum_y**2, 1e-12)
    level = (sum_x - scale * sum_y) / n  # what is said of the mean item, less its value
    off = scaled - items[0] - level[values.annotator] - scale[values.annotator] * y
    squares = values.by_annotator(off**2 + scale[values.annotator] ** 2 * doubt)
    crowd = squares.sum() / len(scaled)
    spread = np.maximum((squares + strength * crowd) / n, 1e-6)
    level, scale, items = _settled(level, scale, items, n - strength)
    return level + items[0] * (1.0 - scale), scale, spread, items


def _settled(level, scale, items, count):
    """The same model with the crowd's mean level 0 and mean scale 1.

    Value for value: m + level + scale (y - m) is (m + L) + (level - L) + scale / c
    (y' - m - L) of a truth y' = m + L + c (y - m).
    """
    offset, stretch = np.average(level, weights=count), np.average(scale, weights=count)
    if stretch < 0.1:  # nobody follows anybody: nothing to settle it by
        stretch = 1.0
    items = np.array([items[0] + offset, items[1] * stretch**2])
    return level - offset, scale / stretch, items


def _in_units(
    values: Values, mean, variance, state, units, strength, iteration, change
) -> ValueConsensus:
    """From numbers of mean 0 and spread 1 to the values' own units."""
    (shift, unit), (bias, scale, spread, items) = units, state
    labelled = values.by_item(np.ones(len(values.item))) > 0
    return ValueConsensus(
        mean=np.where(labelled, mean * unit + shift, np.nan),
        deviation=np.where(labelled, np.sqrt(variance) * unit, np.nan),
        bias=bias * unit + shift * (1.0 - scale),
        scale=scale,
        spread=np.sqrt(spread) * unit,
        items=(float(items[0] * unit + shift), float(np.sqrt(items[1]) * unit)),
        strength=strength,
        iterations=iteration,
        converged=bool(change < TOLERANCE),
    )

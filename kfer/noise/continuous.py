"""Noise of continuous labels such as valence and arousal.

Values are [n, D] floats, NaN where missing; NaN stays NaN.
"""

import dataclasses
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.metrics import continuous as metrics
from kfer.noise import flips


def clip(values: np.ndarray, low: float = -1.0, high: float = 1.0) -> np.ndarray:
    """The values held to the label's range."""
    return np.clip(np.asarray(values, np.float64), low, high)


def gaussian(
    values: np.ndarray, std: float | np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """values + N(0, std^2), unclipped; `std` is one number or one per dimension.

    Raises:
      UserError: a negative standard deviation.
    """
    values = np.asarray(values, np.float64)
    if np.any(np.asarray(std) < 0):
        raise UserError(f"A standard deviation can't be below 0, got {std}")
    return values + rng.standard_normal(values.shape) * std


def swap_signs(values: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """The values with all signs swapped in round(rate n) examples chosen at random."""
    rate, swapped = flips.check_rate(rate), np.array(values, np.float64)
    chosen = rng.choice(len(swapped), round(rate * len(swapped)), replace=False)
    swapped[chosen] *= -1.0
    return swapped


@dataclasses.dataclass(frozen=True)
class Annotator:
    """How one annotator misjudges continuous values.

    Attributes:
      std: standard deviation of its judgement, in the label's unit.
      scale: what it multiplies by: above 1 it overdoes, below 1 it plays down.
      bias: what it adds, one number per dimension or one for all.
      swap_rate: share of examples whose signs it swaps.
    """

    std: float = 0.0
    bias: tuple[float, ...] = (0.0,)
    swap_rate: float = 0.0
    scale: float = 1.0

    def __post_init__(self):
        object.__setattr__(self, "bias", tuple(self.bias))
        flips.check_rate(self.swap_rate)
        if self.std < 0:
            raise UserError(f"A standard deviation can't be below 0, got {self.std}")
        if not self.scale > 0:
            raise UserError(f"A scale must be above 0, got {self.scale}")


def annotate(
    values: np.ndarray,
    annotator: Annotator,
    rng: np.random.Generator,
    low: float = -1.0,
    high: float = 1.0,
) -> np.ndarray:
    """What the annotator says: swaps signs, scales, adds bias and noise, then clips.

    Args:
      values: [n, D] in [low, high], NaN where missing.
      annotator: see Annotator.
      rng: source of the draw.
      low, high: range of the label.

    Returns:
      float64 [n, D] in [low, high].
    """
    swapped = swap_signs(values, annotator.swap_rate, rng)
    return clip(
        gaussian(annotator.scale * swapped + annotator.bias, annotator.std, rng),
        low,
        high,
    )


def achieved(given: np.ndarray, clean: np.ndarray) -> dict[str, Any]:
    """How far given values are from the truth, over the rows without NaN.

    Args:
      given: [n, D].
      clean: [n, D].

    Returns:
      'compared' rows; per dimension lists 'rmse', 'ccc' and 'bias' (mean of given -
      clean); the three are None if nothing can be compared.
    """
    given, clean = (np.asarray(x, np.float64) for x in (given, clean))
    if given.shape != clean.shape or given.ndim != 2:
        raise UserError(
            f"{given.shape} values can't be compared with {clean.shape} clean values; "
            "expected two [n, D]"
        )
    known = np.all(np.isfinite(given) & np.isfinite(clean), axis=1)
    given, clean = given[known], clean[known]
    if not len(given):
        return {"compared": 0, "rmse": None, "ccc": None, "bias": None}
    return {
        "compared": len(given),
        "rmse": metrics.rmse(clean, given).tolist(),
        "ccc": metrics.ccc(clean, given).tolist(),
        "bias": np.mean(given - clean, axis=0).tolist(),
    }

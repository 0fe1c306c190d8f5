"""Label sets of continuous values, such as valence and arousal, against each other.

Values are [n, D] floats, NaN where missing; a row with any NaN is missing as a whole.
Every measure is a list of one number per dimension, in the label's unit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kfer.metrics import continuous as metrics
from kfer.noise import continuous


def known_rows(*values: np.ndarray) -> np.ndarray:
    """Rows without NaN in any of them, bool [n]."""
    return np.all([np.isfinite(rows).all(axis=1) for rows in values], axis=0)


def against(given: np.ndarray, reference: np.ndarray) -> dict[str, Any]:
    """A label set as reference -> bias + scale (reference - mean) + mean + noise.

    Args:
      given: [n, D].
      reference: [n, D]: the truth, or the mean of other annotators.

    Returns:
      'compared' rows, 'rmse', 'ccc' and 'bias' (mean of given - reference) of
      noise.continuous.achieved; 'scale', the least-squares slope of given over
      reference, None where the reference doesn't vary; 'noise_std', the standard
      deviation of what bias and scale leave unexplained. All None if nothing can be
      compared. A reference that is noisy itself lowers the slope.
    """
    found = continuous.achieved(given, reference)
    if not found["compared"]:
        return found | {"scale": None, "noise_std": None}
    known = known_rows(given, reference)
    given, reference = given[known], reference[known]
    scale = _slopes(given, reference)
    fitted = np.nan_to_num(scale) * (reference - reference.mean(axis=0))
    rest = given - given.mean(axis=0) - fitted
    return found | {
        "scale": [None if np.isnan(slope) else float(slope) for slope in scale],
        "noise_std": rest.std(axis=0).tolist(),
    }


def _slopes(given: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """cov(given, reference) / var(reference), NaN where the reference is constant."""
    centred = reference - reference.mean(axis=0)
    covariance = np.mean((given - given.mean(axis=0)) * centred, axis=0)
    varies = np.ptp(reference, axis=0) > 0
    variance = np.where(varies, np.mean(centred**2, axis=0), np.nan)
    return covariance / variance


def spread(values: np.ndarray) -> dict[str, Any]:
    """'given' rows, and their 'mean' and 'variance' (biased); None if there is none."""
    rows = np.asarray(values)[known_rows(values)]
    return {
        "given": len(rows),
        "mean": rows.mean(axis=0).tolist() if len(rows) else None,
        "variance": rows.var(axis=0).tolist() if len(rows) else None,
    }


def pairwise(label_sets: Sequence[np.ndarray]) -> dict[str, Any]:
    """CCC and mean difference of every two label sets.

    Args:
      label_sets: k arrays [n, D].

    Returns:
      [k, k] lists of lists: 'both' rows compared, 'ccc' and 'bias' (mean of the row's
      set minus the column's), each of D numbers, None where nothing is in common.
    """
    found: dict[str, Any] = {"both": [], "ccc": [], "bias": []}
    for first in label_sets:
        row: dict[str, list[Any]] = {name: [] for name in found}
        for second in label_sets:
            known = known_rows(first, second)
            a, b = first[known], second[known]
            row["both"].append(len(a))
            row["ccc"].append(metrics.ccc(b, a).tolist() if len(a) else None)
            row["bias"].append((a - b).mean(axis=0).tolist() if len(a) else None)
        for name, cells in row.items():
            found[name].append(cells)
    return found


def mean_of_others(label_sets: Sequence[np.ndarray], index: int) -> np.ndarray:
    """Mean [n, D] of the other sets' values where they are given, NaN where none is."""
    others = [rows for i, rows in enumerate(label_sets) if i != index]
    if not others:
        return np.full_like(label_sets[index], np.nan)
    stack = np.stack(others)
    known = np.isfinite(stack).all(axis=2, keepdims=True)  # [k - 1, n, 1]
    total = np.sum(np.where(known, stack, 0.0), axis=0)
    count = known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)

"""How suspicious each label is: pure NumPy. More is worse, NaN is missing."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kfer.audit import values
from kfer.audit.label_sets import given
from kfer.metrics import ranking

# The scores' names. ANNOTATORS needs no model: it is what a model must improve upon.
MODEL = "model"
ANNOTATORS = "annotators"
BOTH = "model+annotators"
JOINT = "s_joint"
DROP = "s_joint drop"

# Of values, which have no right and wrong: the share furthest from the truth.
FURTHEST = 0.1


def doubt(posterior: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """1 - p(label): the probability that a label is wrong.

    Args:
      posterior: of the truth, [n, K].
      labels: integers [n], below 0 where missing.
    """
    rows = np.arange(len(labels))
    chance = posterior[rows, np.maximum(labels, 0)]
    return np.where(labels >= 0, 1.0 - chance, np.nan)


def residual(
    labels: np.ndarray, reference: np.ndarray, found: Mapping[str, Any]
) -> np.ndarray:
    """Root mean square over dimensions of the standardised residuals, [n].

    What the label set's bias and scale leave unexplained, over its standard deviation:
    1 is usual, 3 is rare. A dimension that is explained wholly counts as 0.

    Args:
      labels: [n, D], NaN where missing.
      reference: [n, D], such as a model's values.
      found: values.against of the two.
    """
    known = values.known_rows(labels, reference)
    if not known.any():
        return np.full(len(labels), np.nan)
    middle = reference[known].mean(axis=0)
    scale = np.array([0.0 if s is None else s for s in found["scale"]])
    expected = middle + np.array(found["bias"]) + scale * (reference - middle)
    spread = np.array(found["noise_std"])
    rest = np.where(
        spread > 0, (labels - expected) / np.where(spread > 0, spread, 1), 0
    )
    return np.where(known, np.sqrt(np.mean(rest**2, axis=1)), np.nan)


def wrong(labels: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which labels are wrong, bool [n], and where that can be known, bool [n].

    A class is wrong where it isn't the truth's. Values are 'wrong' where they are among
    the FURTHEST share from the truth, by Euclidean distance, and differ from it.
    """
    known = given(labels) & given(truth)
    if labels.ndim == 1:
        return known & (labels != truth), known
    distance = np.where(known, np.linalg.norm(labels - truth, axis=1), 0.0)
    if not known.any():
        return known, known
    limit = np.quantile(distance[known], 1.0 - FURTHEST)
    return known & (distance >= limit) & (distance > 0), known


def precision(
    scores: Mapping[str, np.ndarray], labels: np.ndarray, truth: np.ndarray
) -> dict[str, Any]:
    """How well scores rank a label set's wrong labels first.

    Returns:
      'compared' labels, 'wrong' of them, 'chance' (their share, what a score that knows
      nothing has) and 'auprc': score -> area under the precision-recall curve, see
      ranking.average_precision; None where nothing is wrong or the score is missing
      for a compared label.
    """
    bad, known = wrong(labels, truth)
    found: dict[str, Any] = {"compared": int(known.sum()), "wrong": int(bad.sum())}
    found["chance"] = found["wrong"] / found["compared"] if known.any() else None
    found["auprc"] = {
        name: None
        if np.isnan(rows[known]).any()
        else ranking.average_precision(bad[known], rows[known])
        for name, rows in scores.items()
    }
    return found

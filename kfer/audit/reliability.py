"""Each annotator's confusion and reliability by a posterior of the truth; NumPy."""

from typing import Any

import numpy as np

from kfer.audit.label_sets import given


def expected(posterior: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """An annotator's expected confusion, the truth being known by probability alone.

    Args:
      posterior: of the truth, [n, K].
      labels: integers [n], below 0 where missing.

    Returns:
      'labels' they gave; 'confusion' [K, K] T[true, given] =
      sum over pictures labelled j of p(i | x), rows normalised, a row None where the
      class has no mass; 'reliability', the mean probability that a label is right. None
      if there is no label.
    """
    known = given(labels)
    if not known.any():
        return {"labels": 0, "confusion": None, "reliability": None}
    posterior, labels = posterior[known], labels[known]
    says = labels[:, None] == np.arange(posterior.shape[1])
    counts = posterior.T @ says
    return {
        "labels": len(labels),
        "confusion": rows_of(counts),
        "reliability": float(np.trace(counts) / len(labels)),
    }


def of_matrix(confusion: np.ndarray, shares: np.ndarray) -> dict[str, Any]:
    """A confusion that is known itself, such as a learned one.

    Args:
      confusion: [K, K] T[true, given]; a row of 0 is unknown.
      shares: of the true classes, [K].
    """
    rows = rows_of(np.asarray(confusion, np.float64))
    right = np.diag(np.asarray(confusion, np.float64))
    return {"confusion": rows, "reliability": float(right @ shares / shares.sum())}


def rows_of(counts: np.ndarray) -> list[list[float] | None]:
    """Normalised rows; None for a row without mass."""
    return [(row / row.sum()).tolist() if row.sum() > 0 else None for row in counts]

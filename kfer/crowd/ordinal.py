"""Annotators on a rating scale: near misses are likelier than far ones.

A plain choice, the ordered probit with equal steps (P. McCullagh, Regression models
for ordinal data, J. R. Stat. Soc. B 42, 1980): of an item on step i of 0 to K - 1,
annotator a feels i + bias_a + spread_a * noise, noise being normal, and says the
nearest step. So, with e = i + bias_a,

  T_a[i, j] = F((j + 1/2 - e) / spread_a) - F((j - 1/2 - e) / spread_a)

where the lowest and highest step also take all beyond. Two numbers an annotator instead
of K (K - 1), and the truth is a step of the scale. Scales whose steps are wide or not
equal are better served by the free matrices of Dawid and Skene, or as values.
"""

import numpy as np
from scipy import special

from kfer.crowd import dawid_skene
from kfer.crowd.dawid_skene import Consensus
from kfer.crowd.triples import Triples

STRENGTHS = (100.0, 30.0, 10.0, 3.0, 1.0)
# A grid in steps of the scale: fine beside what tens of labels can tell.
BIASES = np.linspace(-2.0, 2.0, 33)
SPREADS = np.geomspace(0.2, 5.0, 25)


def matrix(bias: np.ndarray, spread: np.ndarray, num_classes: int) -> np.ndarray:
    """T of annotators, float64 [.., K, K], truth by row, rows that sum to 1.

    Args:
      bias: in steps of the scale, [..].
      spread: in steps, above 0, [..].
      num_classes: K.
    """
    steps = np.arange(num_classes)
    edges = steps[:-1] + 0.5 - steps[:, None]  # [K, K - 1], above step i
    bias, spread = (
        np.asarray(bias)[..., None, None],
        np.asarray(spread)[..., None, None],
    )
    below = special.ndtr((edges - bias) / spread)
    ends = np.zeros((*below.shape[:-1], 1))
    below = np.concatenate([ends, below, ends + 1.0], axis=-1)
    # Nothing is impossible, or one slip would decide an item.
    raised = np.maximum(np.diff(below, axis=-1), 1e-9)
    return raised / raised.sum(axis=-1, keepdims=True)


def annotators(counts: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Bias and spread of each annotator: the likeliest on a grid.

    Args:
      counts: expected counts [A, K, K], truth by row.
      strength: labels of the crowd's mean annotator added to each one's own.

    Returns:
      bias [A] and spread [A], in steps of the scale.
    """
    pooled = counts.sum(axis=0) / max(counts.sum(), 1e-300)
    counts = counts + strength * pooled
    bias, spread = (g.ravel() for g in np.meshgrid(BIASES, SPREADS, indexing="ij"))
    classes = counts.shape[-1]
    grid = np.log(matrix(bias, spread, classes)).reshape(len(bias), -1)
    best = (counts.reshape(len(counts), -1) @ grid.T).argmax(axis=1)
    return bias[best], spread[best]


def matrices(counts: np.ndarray, strength: float) -> np.ndarray:
    """Counts to matrices [A, K, K]: the M-step for `kfer.crowd.dawid_skene.fit`."""
    return matrix(*annotators(counts, strength), counts.shape[-1])


def fit_held_out(triples: Triples) -> Consensus:
    """The consensus of ratings, the strength chosen by held-out likelihood.

    Args:
      triples: labels 0 to K - 1 in the scale's order.
    """
    return dawid_skene.fit_held_out(triples, STRENGTHS, matrices)

"""The truth behind several label sets, and each annotator's confusion matrix.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using
the EM algorithm, Applied Statistics 28 (1979): given the truth i, annotator a says j
with probability T_a[i, j], independently of the others; pictures are of class i with
probability p[i]. Both are fitted by EM to the labels alone.

With fewer than three annotators the labels don't determine the matrices, and EM stays
near the shares of votes it starts from. Annotators who err on the same pictures are not
independent: the posterior is then too sure of itself.
"""

from typing import NamedTuple

import numpy as np

from kfer.audit import agreement
from kfer.errors import UserError

TOLERANCE = 1e-9
MAX_ITERATIONS = 2000


class Consensus(NamedTuple):
    """What EM found."""

    posterior: np.ndarray  # [n, K], probability of each class; all 0 without a label
    prior: np.ndarray  # [K], share of pictures of each class
    confusions: np.ndarray  # [k, K, K], truth by row; a row of 0 is unknown
    log_likelihood: float  # of all labels, natural
    iterations: int
    converged: bool

    @property
    def classes(self) -> np.ndarray:
        """The most probable class, int64 [n]: the first of equals, -1 without label."""
        return np.where(self.probability > 0, self.posterior.argmax(axis=1), -1)

    @property
    def probability(self) -> np.ndarray:
        """Of that class, [n]."""
        return self.posterior.max(axis=1)


def fit(
    label_sets: np.ndarray,
    num_classes: int,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> Consensus:
    """Fits the model by EM.

    It starts from each picture's shares of votes, as in the paper, so there is no draw:
    the same labels give the same answer. Nothing is smoothed: it is the maximum of the
    likelihood, and a class that nobody says gets the probability 0.

    Args:
      label_sets: integers [k, n], below 0 where missing.
      num_classes: K.
      tolerance: EM has converged when a step raises the log likelihood by less than
        this a labelled picture.
      max_iterations: it stops there, converged or not.

    Raises:
      UserError: no label at all, or one out of range.
    """
    sets = agreement.check(label_sets, num_classes)
    if not (sets >= 0).any():
        raise UserError(f"None of the {len(sets)} label sets has a label; no consensus")
    # Pictures labelled alike share a posterior: a few patterns stand for all of them.
    patterns, place, counts = np.unique(
        sets, axis=1, return_inverse=True, return_counts=True
    )
    votes = agreement.votes(patterns, num_classes)
    labelled = votes.any(axis=1)
    weights = np.where(labelled, counts, 0).astype(np.float64)
    posterior = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)
    before, converged, iteration = -np.inf, False, 0
    while not converged and iteration < max_iterations:
        iteration += 1
        prior, confusions = _maximise(patterns, posterior * weights[:, None])
        posterior, log_evidence = expect(patterns, prior, confusions)
        log_likelihood = float(weights @ log_evidence)
        converged = log_likelihood - before < tolerance * weights.sum()
        before = log_likelihood
    posterior = np.where(labelled[:, None], posterior, 0.0)[place.reshape(-1)]
    return Consensus(
        posterior, prior, confusions, log_likelihood, iteration, bool(converged)
    )


def _maximise(
    patterns: np.ndarray, weighted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """M-step: p and T from expected counts.

    Args:
      patterns: labels [k, p].
      weighted: expected number of pictures by pattern and class [p, K].
    """
    classes = np.arange(weighted.shape[1])
    says = (patterns[:, :, None] == classes).astype(np.float64)  # [k, p, K]
    counts = weighted.T @ says  # [k, K, K]
    return weighted.sum(axis=0) / weighted.sum(), normalised(counts)


def normalised(rows: np.ndarray) -> np.ndarray:
    """Rows [.., K] that sum to 1; a row of 0 stays."""
    totals = rows.sum(axis=-1, keepdims=True)
    return np.divide(rows, totals, np.zeros_like(rows), where=totals > 0)


def expect(
    patterns: np.ndarray, prior: np.ndarray, confusions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """E-step: the posterior [p, K] and log probability [p] of each pattern.

    Args:
      patterns: labels [k, p], below 0 where missing.
      prior: of the classes, [K] or each pattern's own [p, K].
      confusions: [k, K, K], truth by row.

    In logarithms: many annotators multiply to less than the smallest double. A log of 0
    is -inf, which adds up rightly, and every pattern keeps a class that is possible.
    """
    with np.errstate(divide="ignore"):
        log_prior, log_confusions = np.log(prior), np.log(confusions)
    size = patterns.shape[1], confusions.shape[1]
    joint = np.broadcast_to(log_prior, size).copy()
    for labels, table in zip(patterns, log_confusions, strict=True):
        joint += np.where(labels[:, None] >= 0, table.T[labels], 0.0)
    top = joint.max(axis=1, keepdims=True)
    log_evidence = top + np.log(np.sum(np.exp(joint - top), axis=1, keepdims=True))
    return np.exp(joint - log_evidence), log_evidence[:, 0]

"""The truth behind a model's answers and several label sets together, by EM.

Dawid and Skene's model (see kfer.crowd.dawid_skene) with a prior for each picture
instead of one for all: of the pictures that the model takes for class j, the share
M[j, i] is of class i, so the prior of picture x is sum_j p(j | x) M[j, i]. M is fitted
beside the annotators' confusions T: a model that is too sure, or wrong about a class,
then counts for less.
"""

from typing import NamedTuple

import numpy as np

from kfer.audit import agreement
from kfer.crowd.confusion import (
    confusion_counts,
    normalised,
    posterior,
    shrunk_matrices,
)
from kfer.crowd.triples import Triples
from kfer.errors import UserError

TOLERANCE = 1e-6
MAX_ITERATIONS = 200
# Of a class in an answer: a model that is sure may still be wrong.
FLOOR = 1e-6


class Truth(NamedTuple):
    """What EM found."""

    posterior: np.ndarray  # [n, K], probability of each class, of unlabelled ones too
    confusions: np.ndarray  # [k, K, K], truth by row; a row of 0 is unknown
    calibration: np.ndarray  # [K, K] M, the model's class by row, the truth by column
    iterations: int
    converged: bool


def fit(probabilities: np.ndarray, label_sets: np.ndarray) -> Truth:
    """fit_triples of label sets in columns.

    Args:
      probabilities: the model's [n, K].
      label_sets: integers [k, n], below 0 where missing.

    Raises:
      UserError: no label at all, or one out of range.
    """
    num_classes = probabilities.shape[1]
    sets = agreement.check(label_sets, num_classes)
    return fit_triples(probabilities, Triples.of_sets(sets, num_classes))


def fit_triples(
    probabilities: np.ndarray, triples: Triples, strength: float = 0.0
) -> Truth:
    """Fits M and T. It starts from the mean of the model and the votes, each one vote.

    Args:
      probabilities: the model's [n, K].
      triples: the annotators' labels.
      strength: of the shrinkage of T, see confusion.shrunk_matrices; 0 for annotators
        who label much.

    Raises:
      UserError: no label at all.
    """
    if not len(triples.item):
        raise UserError(
            f"None of the {triples.num_annotators} label sets has a label; no truth"
        )
    answers = np.maximum(probabilities, FLOOR)
    answers = answers / answers.sum(axis=1, keepdims=True)
    q = normalised(answers + triples.votes())
    calibration = normalised(answers.T @ q)
    before, converged, iteration = -np.inf, False, 0
    while not converged and iteration < MAX_ITERATIONS:
        iteration += 1
        confusions = shrunk_matrices(confusion_counts(q, triples), strength)
        prior = answers @ calibration
        with np.errstate(divide="ignore"):
            q, log_evidence = posterior(np.log(prior), np.log(confusions), triples)
        calibration *= answers.T @ np.divide(
            q, prior, np.zeros_like(prior), where=prior > 0
        )
        calibration = normalised(calibration)
        level = float(log_evidence.mean())
        converged = level - before < TOLERANCE
        before = level
    return Truth(q, confusions, calibration, iteration, bool(converged))

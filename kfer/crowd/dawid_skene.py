"""The truth behind a crowd's labels, by EM.

A. P. Dawid and A. M. Skene, Maximum likelihood estimation of observer error-rates using
the EM algorithm, Applied Statistics 28 (1979): pictures are of class i with probability
p[i], annotator a then says j with probability T_a[i, j]. Both are fitted to the labels
alone. How T_a follows from counts is an argument: free matrices shrunk towards the
crowd's, one number an annotator, or the matrices of a rating scale.

With fewer than three labels a picture the labels hardly determine the matrices, and EM
stays near the shares of votes it starts from. Annotators who err on the same pictures
are not independent: the posterior is then too sure of itself.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from kfer.crowd import confusion
from kfer.crowd.triples import Triples, fold
from kfer.errors import UserError

TOLERANCE = 1e-6
MAX_ITERATIONS = 200
STRENGTHS = (np.inf, 100.0, 30.0, 10.0, 3.0, 1.0)
FOLDS = 4
TINY = 1e-300  # keeps the log of what a fit calls impossible finite
ENOUGH = 20_000  # labels held out; further parts would say the same

# Expected counts [A, K, K] and a strength in labels to matrices [A, K, K].
Matrices = Callable[[np.ndarray, float], np.ndarray]


class Consensus(NamedTuple):
    """What EM found."""

    posterior: np.ndarray  # [n, K], probability of each class; all 0 without a label
    prior: np.ndarray  # [K], share of pictures of each class
    confusions: np.ndarray  # [k, K, K], truth by row; a row of 0 is unknown
    log_likelihood: float  # of all labels, natural
    iterations: int
    converged: bool
    strength: float = 0.0  # of the shrinkage, in labels

    @property
    def classes(self) -> np.ndarray:
        """The most probable class, int64 [n]: the first of equals, -1 without label."""
        return np.where(self.probability > 0, self.posterior.argmax(axis=1), -1)

    @property
    def probability(self) -> np.ndarray:
        """Of that class, [n]."""
        return self.posterior.max(axis=1)


def fit(
    triples: Triples,
    strength: float = 0.0,
    matrices: Matrices = confusion.shrunk_matrices,
    weights: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
) -> Consensus:
    """Fits the model by EM.

    It starts from each picture's shares of votes, as in the paper, so there is no draw:
    the same labels give the same answer. With strength 0 nothing is smoothed: it is the
    maximum of the likelihood, and a class that nobody says gets the probability 0.

    Args:
      triples: L labels of N items by A annotators.
      strength: passed to `matrices`.
      matrices: counts to matrices.
      weights: how many pictures an item stands for, [N]; 1 each by default.
      tolerance: EM has converged when a step changes the log likelihood by less than
        this a labelled picture.
      max_iterations: it stops there, converged or not.

    Raises:
      UserError: no label at all.
    """
    if not len(triples.item):
        raise UserError(
            f"None of {triples.num_annotators} annotators gave a label; no consensus"
        )
    votes = triples.votes()
    labelled = votes.any(axis=1)
    weights = np.where(labelled, 1.0 if weights is None else weights, 0.0)
    q = confusion.normalised(votes)
    before, converged, iteration = -np.inf, False, 0
    while not converged and iteration < max_iterations:
        iteration += 1
        weighted = q * weights[:, None]
        prior = weighted.sum(axis=0) / weighted.sum()
        tables = matrices(confusion.confusion_counts(weighted, triples), strength)
        with np.errstate(divide="ignore"):
            q, log_evidence = confusion.posterior(
                np.log(prior), np.log(tables), triples
            )
        log_likelihood = float(weights @ log_evidence)
        change = abs(log_likelihood - before)
        converged = bool(change < tolerance * weights.sum())
        before = log_likelihood
    q = np.where(labelled[:, None], q, 0.0)
    return Consensus(q, prior, tables, log_likelihood, iteration, converged, strength)


def fit_held_out(
    triples: Triples,
    strengths: Sequence[float] = STRENGTHS,
    matrices: Matrices = confusion.shrunk_matrices,
    folds: int = FOLDS,
) -> Consensus:
    """The fit with the strength under which held-out labels are most probable.

    No truth is needed: the strength is taken whose fits to 3 / 4 of the labels best
    foretell the rest.

    Args:
      triples: L labels of N items by A annotators.
      strengths: to try in this order until one is worse than the last, above 0 (which
        would call some held-out label impossible).
      matrices: counts to matrices.
      folds: the labels are held out by turns in that many parts, by hash, until
        there are ENOUGH.
    """
    strength, _ = _chosen(triples, strengths, matrices, folds)
    return fit(triples, strength, matrices)


def consensus(triples: Triples) -> Consensus:
    """`fit_held_out`, or the one-coin model where that foretells the labels better.

    Where errors are spread evenly, the crowd's common matrix is only noise. One coin's
    strength is infinity: one number an annotator.
    """
    strength, score = _chosen(triples)
    if held_out(triples, 0.0, confusion.one_coin_matrices) <= score:
        return fit(triples, strength)
    found = fit(triples, matrices=confusion.one_coin_matrices)
    return found._replace(strength=np.inf)


def _chosen(
    triples: Triples,
    strengths: Sequence[float] = STRENGTHS,
    matrices: Matrices = confusion.shrunk_matrices,
    folds: int = FOLDS,
) -> tuple[float, float]:
    """The strength under which held-out labels are most probable, and how probable."""
    best, score = strengths[0], -np.inf
    for strength in strengths:
        found = held_out(triples, strength, matrices, folds)
        if found < score:
            break
        best, score = strength, found
    return best, score


def held_out(
    triples: Triples,
    strength: float,
    matrices: Matrices = confusion.shrunk_matrices,
    folds: int = FOLDS,
) -> float:
    """The mean log probability of a label, by fits to the other parts of the labels.

    A label that is alone on its picture is foretold from the classes' shares. -inf
    where a part can't be fitted, as nothing is left.
    """
    part = fold(triples, folds)
    total, count = 0.0, 0
    for number in range(folds):
        rest, held = triples.where(part != number), triples.where(part == number)
        if count >= ENOUGH or not len(held.item):
            continue
        if not len(rest.item):
            return -np.inf
        found = fit(rest, strength, matrices, tolerance=1e-5, max_iterations=50)
        total += np.log(np.maximum(foretold(found, held), TINY)).sum()
        count += len(held.item)
    return total / max(count, 1)


def foretold(consensus: Consensus, held: Triples) -> np.ndarray:
    """The probability [L] that a fit gives to labels which it has not seen."""
    known = consensus.posterior.any(axis=1, keepdims=True)
    q = np.where(known, consensus.posterior, consensus.prior)
    says = consensus.confusions[held.annotator, :, held.label]  # [L, K]
    return np.sum(q[held.item] * says, axis=1)

"""GLAD: items differ in difficulty, as annotators in skill.

J. Whitehill, P. Ruvolo, T. Wu, J. Bergsma and J. Movellan, Whose vote should count
more: optimal integration of labels from labelers of unknown expertise, NeurIPS 2009: a
label is right with probability 1 / (1 + exp(-alpha_a beta_i)), and else any other class
alike.
Priors as there: alpha and log beta are normal around 1 with spread 1.
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize, special

from kfer.crowd import confusion, dawid_skene
from kfer.crowd.triples import Triples
from kfer.errors import UserError

ITERATIONS = 10
SETTLED = 0.01  # of no item does the probability of a class change by more
STEPS = 5  # of L-BFGS in an M-step


class Glad(NamedTuple):
    """What EM found."""

    posterior: np.ndarray  # [N, K]; all 0 without a label
    prior: np.ndarray  # [K], share of items of each class
    skill: np.ndarray  # alpha [A]: 0 guesses, below 0 is contrary
    ease: np.ndarray  # beta [N], above 0: near 0 nobody can tell

    @property
    def classes(self) -> np.ndarray:
        """The most probable class, int64 [N]; -1 without a label."""
        labelled = self.posterior.any(axis=1)
        return np.where(labelled, self.posterior.argmax(axis=1), -1)


def fit(triples: Triples, iterations: int = ITERATIONS) -> Glad:
    """Fits the model by EM from the one-coin model's posterior, without a draw.

    Args:
      triples: L labels of N items by A annotators, K >= 2 classes.
      iterations: of EM at most; it stops when the posterior is SETTLED.

    Raises:
      UserError: no label at all, or a single class.
    """
    if triples.num_classes < 2:
        raise UserError("GLAD needs two classes or more")
    found = dawid_skene.fit(triples, 0.0, confusion.one_coin_matrices)
    labelled = found.posterior.any(axis=1)
    q, prior = found.posterior, found.prior
    parameters = np.ones(triples.num_annotators + triples.num_items)
    for _ in range(iterations):
        right = q[triples.item, triples.label]
        parameters = _maximise(parameters, right, triples)
        prior = q.sum(axis=0) / q.sum()
        before, q = q, _expect(prior, parameters, triples)
        q[~labelled] = 0.0
        if np.abs(q - before).max() < SETTLED:
            break
    skill, log_ease = np.split(parameters, [triples.num_annotators])
    return Glad(q, prior, skill, np.exp(log_ease))


def _expect(prior, parameters, triples: Triples) -> np.ndarray:
    """E-step: the probability of each class [N, K].

    A class that was named on an item gains log(right / wrong) over those that weren't:
    logit + log(K - 1) a label.
    """
    skill, log_ease = np.split(parameters, [triples.num_annotators])
    logit = skill[triples.annotator] * np.exp(log_ease[triples.item])
    size = triples.num_items, triples.num_classes
    place = triples.item * triples.num_classes + triples.label
    gain = logit + np.log(triples.num_classes - 1.0)
    named = np.bincount(place, gain, minlength=size[0] * size[1]).reshape(size)
    with np.errstate(divide="ignore"):
        return special.softmax(np.log(prior) + named, axis=1)


def _maximise(parameters, right, triples: Triples) -> np.ndarray:
    """M-step: skill and log ease, a few steps of L-BFGS up the expected likelihood."""
    sizes = triples.num_annotators, triples.num_items

    def downhill(parameters):
        skill, log_ease = np.split(parameters, [sizes[0]])
        of_label, ease = skill[triples.annotator], np.exp(log_ease[triples.item])
        logit = of_label * ease
        # log expit(-x) is log expit(x) - x.
        gain = special.log_expit(logit) - (1.0 - right) * logit
        slope = right - special.expit(logit)  # of the likelihood by the logit
        by_skill = np.bincount(triples.annotator, slope * ease, minlength=sizes[0])
        by_ease = np.bincount(triples.item, slope * logit, minlength=sizes[1])
        off = parameters - 1.0
        value = off @ off / 2.0 - gain.sum()
        return value, off - np.concatenate([by_skill, by_ease])

    found = optimize.minimize(
        downhill,
        parameters,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS},
    )
    return found.x

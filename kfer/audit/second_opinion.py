"""Whether what is proposed beats what annotators said, by labels that were held back.

A proposal changes one annotator's label of a picture from l to c. If it is an
improvement, another annotator of the same picture, whose label had no part in the
proposal, says c more often than l. No truth is needed. Annotators who err alike count
against it: it is cautious.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import stats

from kfer.crowd.triples import Triples, fold

FOLDS = 4
# Held-back labels below which nothing can be told, and above which no more are asked.
FEWEST, ENOUGH = 20, 5000
# Of the sign test: proposals that are no better look as good this often.
CHANCE = 0.05


class Opinion(NamedTuple):
    """What other annotators say of changed labels."""

    agree: int  # held-back labels that are the proposed class
    disagree: int  # that are the class which was to be changed

    @property
    def beats(self) -> bool | None:
        """Whether proposals are better than labels; None where that can't be told."""
        if self.agree + self.disagree < FEWEST:
            return None
        test = stats.binomtest(
            self.agree, self.agree + self.disagree, alternative="greater"
        )
        return bool(test.pvalue < CHANCE)


def ask(
    triples: Triples, posterior_of: Callable[[Triples], np.ndarray], limit: float
) -> Opinion:
    """Holds labels back by turns and compares them with what is proposed without them.

    Args:
      triples: all labels of the annotators.
      posterior_of: labels -> probability of each class [N, K].
      limit: of the probability of being wrong from which on a label is changed.
    """
    part = fold(triples, FOLDS)
    agree = disagree = 0
    for number in range(FOLDS):
        kept, held = triples.where(part != number), triples.where(part == number)
        if not len(kept.item) or agree + disagree >= ENOUGH:
            continue
        best, changed = proposals(kept, posterior_of(kept), limit)
        votes = held.votes()
        item = kept.item[changed]
        agree += int(votes[item, best[item]].sum())
        disagree += int(votes[item, kept.label[changed]].sum())
    return Opinion(agree, disagree)


def proposals(
    triples: Triples, posterior: np.ndarray, limit: float
) -> tuple[np.ndarray, np.ndarray]:
    """The most probable class [N] and which labels [L] become it."""
    best = posterior.argmax(axis=1)
    doubt = 1.0 - posterior[triples.item, triples.label]
    return best, (doubt >= limit) & (best[triples.item] != triples.label)

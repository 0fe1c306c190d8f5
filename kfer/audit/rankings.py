"""One label set's labels by how suspicious they are, and what is proposed instead."""

from typing import Any, NamedTuple

import numpy as np

from kfer.audit.label_sets import given

# From here on another label is proposed: a probability of being wrong, of classes, and
# standard deviations, of values.
DOUBT_LIMIT = 0.5
RESIDUAL_LIMIT = 3.0


class Ranking(NamedTuple):
    """One label set's labels: how suspicious each is and what is proposed."""

    scores: dict[str, np.ndarray]  # name -> [n], see suspicion
    chosen: str  # the score that proposes
    proposed: np.ndarray  # [n] or [n, D]: the labels, changed where one is proposed
    changed: np.ndarray  # bool [n]
    best: np.ndarray  # [n] or [n, D]: what the posterior says, whatever was given

    @property
    def suspicion(self) -> np.ndarray:
        """The chosen score, [n]."""
        return self.scores[self.chosen]


def corrected(labels: np.ndarray, ranked: Ranking, truth: np.ndarray) -> dict[str, Any]:
    """What the proposals do to a label set of classes, where the truth is known.

    Returns:
      'changed' labels; of these the shares 'were_wrong' and 'are_right', None if there
      is none; 'noise' and 'noise_after' of all, None where nothing can be compared.
    """
    known = given(labels) & given(truth)
    changed = ranked.changed & known

    def share(hits: np.ndarray, of: np.ndarray) -> float | None:
        return float(np.mean(hits[of])) if of.any() else None

    return {
        "changed": int(changed.sum()),
        "were_wrong": share(labels != truth, changed),
        "are_right": share(ranked.proposed == truth, changed),
        "noise": share(labels != truth, known),
        "noise_after": share(ranked.proposed != truth, known),
    }

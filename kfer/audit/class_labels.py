"""Label sets of the annotators' classes, judged by a model's posterior."""

from typing import Any

import numpy as np

from kfer.audit import (
    dawid_skene,
    joint_labels,
    learned,
    reliability,
    second_opinion,
    suspicion,
)
from kfer.audit import truth as truth_lib
from kfer.audit.answers import Answers
from kfer.audit.audit import Audit
from kfer.audit.label_sets import given
from kfer.audit.rankings import Ranking, corrected
from kfer.audit.truth import Truth
from kfer.crowd import dawid_skene as crowd
from kfer.crowd.triples import Triples
from kfer.data import rewrite


class ClassLabels:
    """The label sets of the annotators' classes.

    Args: see judgement.judge; `target` is the model's.

    Attributes:
      rankings: column -> its labels, annotators first.
      posterior: [n, K] behind the classes proposed.
      opinion: what annotators whose labels had no part in proposals say of them. If
        proposals don't beat the labels, none is made.
    """

    def __init__(
        self, found: Audit, answers: Answers, target: str, score: str, limit: float
    ):
        self.sets, self.consensus, self.answers = found.sets, found.consensus, answers
        self.target, self.limit = target, limit
        self.names = self.sets.annotators()
        self.labelled = [n for n in self.names if given(self.sets.labels[n]).any()]
        self.model = answers.by_target[target]
        stack = np.stack([self.sets.labels[name] for name in self.names])
        self.triples = Triples.of_sets(stack, self.model.shape[1], self.sets.keys)
        self.strength = self._strength()
        self.truth = self._truth(self.triples) if self.labelled else None
        several = len(self.labelled) > 1
        self.chosen = score or (suspicion.BOTH if several else suspicion.MODEL)
        if self.truth is None:
            self.chosen = suspicion.MODEL
        both = self.chosen == suspicion.BOTH
        self.posterior = self.truth.posterior if both and self.truth else self.model
        derived = [n for n in self.sets.derived() if not n.startswith(rewrite.KEPT)]
        columns = [*self.names, *derived]
        self.opinion = second_opinion.ask(self.triples, self._posterior, limit)
        self.rankings = {name: self._ranking(name) for name in columns}

    def _strength(self) -> float:
        """Of shrinkage: annotators who are many have few labels each."""
        if len(self.labelled) <= dawid_skene.FEW:
            return 0.0
        return crowd.fit_held_out(self.triples).strength

    def _truth(self, triples: Triples) -> Truth:
        return truth_lib.fit_triples(self.model, triples, self.strength)

    def _posterior(self, triples: Triples) -> np.ndarray:
        """What proposes classes, from these labels alone."""
        if self.chosen == suspicion.BOTH:
            return self._truth(triples).posterior
        return self.model

    def _ranking(self, name: str) -> Ranking:
        labels = self.sets.labels[name]
        scores = {suspicion.MODEL: suspicion.doubt(self.model, labels)}
        if self.consensus is not None and len(self.labelled) > 1:
            scores[suspicion.ANNOTATORS] = suspicion.doubt(
                self.consensus.posterior, labels
            )
        if self.truth is not None:
            scores[suspicion.BOTH] = suspicion.doubt(self.truth.posterior, labels)
        scores |= joint_labels.scores(self.answers, name, labels)
        best = self.posterior.argmax(axis=1)
        with np.errstate(invalid="ignore"):  # NaN is below any limit
            suspect = scores[self.chosen] >= self.limit
        beaten = self.opinion.beats is not False
        changed = suspect & (best != labels) & beaten
        proposed = np.where(changed, best, labels)
        return Ranking(scores, self.chosen, proposed, changed, best)

    def summary(self) -> dict[str, Any]:
        """For each label set: reliability, ranking and what the proposals do."""
        truth_name, truth = self.sets.truth(self.names[0])
        found: dict[str, Any] = {
            "target": self.target,
            "names": list(self.sets.columns[self.names[0]].classes),
            "score": self.chosen,
            "limit": self.limit,
            "reference": f"clean/{truth_name}" if truth_name else None,
            "annotators": {name: self._annotator(name) for name in self.rankings},
            "proposed": {n: int(r.changed.sum()) for n, r in self.rankings.items()},
            "second_opinion": self.opinion._asdict() | {"beats": self.opinion.beats},
        }
        if self.truth is not None:
            found["em"] = {
                "iterations": self.truth.iterations,
                "converged": self.truth.converged,
                "calibration": reliability.rows_of(self.truth.calibration),
            }
        if truth is not None:
            found["precision"] = {
                name: suspicion.precision(r.scores, self.sets.labels[name], truth)
                for name, r in self.rankings.items()
            }
            found["corrections"] = {
                name: corrected(self.sets.labels[name], r, truth)
                for name, r in self.rankings.items()
            }
        return found

    def _annotator(self, name: str) -> dict[str, Any]:
        """The confusion of a label set by each account of the truth."""
        labels = self.sets.labels[name]
        found = {suspicion.MODEL: reliability.expected(self.model, labels)}
        if self.truth is not None:
            both = reliability.expected(self.truth.posterior, labels)
            found[suspicion.BOTH] = both
        if self.consensus is not None and len(self.labelled) > 1:
            alone = reliability.expected(self.consensus.posterior, labels)
            found[suspicion.ANNOTATORS] = alone
        if own := learned.account(self.answers, name):
            found["learned"] = own
        return found

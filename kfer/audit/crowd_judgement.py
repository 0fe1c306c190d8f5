"""A crowd's labels judged by a model and the crowd together."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kfer.audit import learned, second_opinion, suspicion
from kfer.audit import truth as truth_lib
from kfer.audit.answers import Answers
from kfer.audit.label_sets import LabelSets
from kfer.crowd import dawid_skene
from kfer.crowd.triples import Triples
from kfer.data.crowd_labels import Pairs


class CrowdJudgement(NamedTuple):
    """What is found of one crowd column."""

    summary: dict[str, Any]  # plain and JSON-able
    posterior: np.ndarray  # [N, K] of model and crowd
    after: np.ndarray  # [L], the labels with those proposed in their place
    proposed: dict[str, Pairs]  # image id -> its labels with those proposed


def judge(
    answers: Answers, sets: LabelSets, name: str, target: str, limit: float
) -> CrowdJudgement:
    """Judges every label of a crowd column of classes.

    Args:
      answers: of the model, on the same split.
      sets: the split's labels.
      name: of the crowd column.
      target: the model's, of the same classes.
      limit: of the probability of being wrong from which on a label is changed, if that
        beats the annotators: see second_opinion.
    """
    triples, model = sets.crowds[name], answers.by_target[target]
    alone = dawid_skene.consensus(triples)

    def both(labels: Triples) -> truth_lib.Truth:
        return truth_lib.fit_triples(model, labels, alone.strength)

    found = both(triples)
    opinion = second_opinion.ask(triples, lambda t: both(t).posterior, limit)
    best, changed = second_opinion.proposals(triples, found.posterior, limit)
    if opinion.beats is False:
        changed = np.zeros_like(changed)
    after = np.where(changed, best[triples.item], triples.label)
    _, truth = sets.truth(name)
    accounts = {
        suspicion.ANNOTATORS: alone.classes,
        suspicion.MODEL: model.argmax(axis=1),
        suspicion.BOTH: best,
    }
    summary = {
        "column": name,
        "target": target,
        "score": suspicion.BOTH,
        "limit": limit,
        "second_opinion": opinion._asdict() | {"beats": opinion.beats},
        "labels": len(triples.item),
        "proposed": int(changed.sum()),
        "right": {key: _right(rows, truth) for key, rows in accounts.items()},
        "noise": _wrong(triples.label, triples, truth),
        "noise_after": _wrong(after, triples, truth),
        "em": {"iterations": found.iterations, "converged": found.converged},
        "learned": learned.people(
            answers, name, sets.crowd_columns[name].annotators or ()
        ),
    }
    return CrowdJudgement(
        summary, found.posterior, after, _proposed(triples, after, changed, sets.ids)
    )


def rows(sets: LabelSets, name: str, found: CrowdJudgement) -> Iterator[list[str]]:
    """A row of corrections.HEADS for every label of a crowd column, worst first; the
    column is '<name>:<annotator>'."""
    triples, column = sets.crowds[name], sets.crowd_columns[name]
    doubt = 1.0 - found.posterior[triples.item, triples.label]
    chance = found.posterior.max(axis=1)
    for row in np.argsort(-doubt, kind="stable"):
        item, given, proposed = triples.item[row], triples.label[row], found.after[row]
        why = f"{suspicion.BOTH}: probability {chance[item]:.3f}"
        yield [
            sets.ids[item],
            f"{name}:{column.annotators[triples.annotator[row]]}",
            column.classes[given],
            column.classes[proposed],
            f"{doubt[row]:.6f}",
            why if proposed != given else "",
        ]


def _right(classes: np.ndarray, truth: np.ndarray | None) -> float | None:
    if truth is None:
        return None
    known = (classes >= 0) & (truth >= 0)
    return float(np.mean(classes[known] == truth[known])) if known.any() else None


def _wrong(
    labels: np.ndarray, triples: Triples, truth: np.ndarray | None
) -> float | None:
    if truth is None:
        return None
    known = truth[triples.item] >= 0
    wrong = labels[known] != truth[triples.item][known]
    return float(np.mean(wrong)) if known.any() else None


def _proposed(
    triples: Triples, after: np.ndarray, changed: np.ndarray, ids: list[str]
) -> dict[str, Pairs]:
    """All labels of the pictures of which at least one is changed."""
    found: dict[str, list[tuple[int, int]]] = {}
    touched = np.isin(triples.item, triples.item[changed])
    rows = (triples.item[touched], triples.annotator[touched], after[touched])
    for item, annotator, label in zip(*rows, strict=True):
        found.setdefault(ids[item], []).append((int(annotator), int(label)))
    return {image_id: tuple(sorted(pairs)) for image_id, pairs in found.items()}

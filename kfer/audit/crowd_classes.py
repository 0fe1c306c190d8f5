"""A crowd column of classes: each account of the truth, and each annotator.

Hundreds of people have tens of thousands of pairs; here they stand in one sorted table,
with what is known of each, and in groups of those who say alike.
"""

from typing import Any, NamedTuple

import numpy as np

from kfer.crowd import confusion, dawid_skene, glad, majority, people
from kfer.crowd.dawid_skene import Consensus
from kfer.crowd.triples import Triples
from kfer.data.record import Column

WRITTEN = "the one written"
# A spread of agreement that names dealt at random would reach more often than this
# tells nothing of who is who.
LIKELY = 0.05
# Labels an annotator on average, below which that may be for want of labels.
FEW = 20


class CrowdClasses(NamedTuple):
    """What the labels tell."""

    summary: dict[str, Any]  # plain and JSON-able
    consensus: Consensus


def of_column(
    triples: Triples, column: Column, truth: np.ndarray | None, truth_name: str
) -> CrowdClasses | None:
    """Summarises a crowd column; None without a label.

    Args:
      triples: its labels.
      column: what they mean.
      truth: int64 [N], -1 where unknown; None if the split has none.
      truth_name: the clean column's.
    """
    if not len(triples.item):
        return None
    found = dawid_skene.consensus(triples)
    overlap = bool((triples.of_item() > 1).any())
    judged_by = "the others of each picture" if overlap else None
    shares = people.right_by_others(triples, found)
    if truth is not None:
        judged_by = f"clean/{truth_name}"
        shares = people.right_by_truth(triples, truth)
    enough = people.says_enough(shares)
    groups = people.clusters(found, triples.of_annotator(), enough)
    told = people.spread(triples)
    summary = {
        "column": column.name,
        "names": list(column.classes),
        **_counts(triples),
        "judged_by": judged_by,
        "noise": _noise(triples, truth),
        "consensus": _accounts(triples, found, truth, overlap),
        "dawid_skene": _described(found, overlap),
        "identity": None if told is None else told._asdict(),
        "annotators": _people(triples, column, shares, enough, groups),
        "groups": _groups(found, column, shares, groups),
    }
    summary["notes"] = _notes(summary, overlap)
    return CrowdClasses(summary, found)


def _counts(triples: Triples) -> dict[str, Any]:
    per_item, per_person = triples.of_item(), triples.of_annotator()
    return {
        "labels": len(triples.item),
        "pictures": int(np.sum(per_item > 0)),
        "unlabelled": int(np.sum(per_item == 0)),
        "people": int(np.sum(per_person > 0)),
        "silent": int(np.sum(per_person == 0)),
        "labels_a_picture": {
            str(count): int(number)
            for count, number in enumerate(np.bincount(per_item))
            if number
        },
        "given": np.bincount(triples.label, minlength=triples.num_classes).tolist(),
    }


def _noise(triples: Triples, truth: np.ndarray | None) -> float | None:
    """The share of wrong labels; None where the truth isn't known."""
    if truth is None:
        return None
    known = truth[triples.item] >= 0
    wrong = triples.label[known] != truth[triples.item][known]
    return float(wrong.mean()) if known.any() else None


def _accounts(
    triples: Triples, found: Consensus, truth: np.ndarray | None, overlap: bool
) -> dict[str, dict[str, Any]]:
    """Each way to a consensus: how often it is right, and unlike the majority."""
    if not overlap:
        return {}
    vote = majority.drawn(triples)
    accounts = {
        "majority, ties drawn": vote,
        "one coin": dawid_skene.fit(
            triples, matrices=confusion.one_coin_matrices
        ).classes,
        WRITTEN: found.classes,
    }
    if triples.num_classes > 1:
        accounts["GLAD"] = glad.fit(triples).classes
    return {
        name: {
            "right": _right(classes, truth),
            "unlike_majority": float(np.mean((classes != vote)[vote >= 0])),
        }
        for name, classes in accounts.items()
    }


def _right(classes: np.ndarray, truth: np.ndarray | None) -> float | None:
    if truth is None:
        return None
    known = (classes >= 0) & (truth >= 0)
    return float(np.mean(classes[known] == truth[known])) if known.any() else None


def _described(found: Consensus, overlap: bool) -> dict[str, Any] | None:
    if not overlap:
        return None
    strength = found.strength
    return {
        "iterations": found.iterations,
        "converged": found.converged,
        "strength": None if np.isinf(strength) else strength,
        "prior": found.prior.tolist(),
    }


def _people(
    triples: Triples,
    column: Column,
    shares: people.Shares,
    enough: np.ndarray,
    groups: np.ndarray,
) -> list[dict[str, Any]]:
    """A row for each annotator with a label: best first, then those not known enough,
    most labels first."""
    labels = triples.of_annotator()
    known = [a for a in np.flatnonzero(labels) if enough[a]]
    others = [a for a in np.flatnonzero(labels) if not enough[a]]
    known.sort(key=lambda a: (-shares.share[a], -labels[a]))
    others.sort(key=lambda a: -labels[a])
    return [
        {
            "annotator": column.annotators[a],
            "labels": int(labels[a]),
            "compared": int(shares.compared[a]),
            "right": float(shares.share[a]) if enough[a] else None,
            "low": float(shares.low[a]) if enough[a] else None,
            "high": float(shares.high[a]) if enough[a] else None,
            "group": int(groups[a]) + 1 if groups[a] >= 0 else None,
        }
        for a in (*known, *others)
    ]


def _groups(
    found: Consensus, column: Column, shares: people.Shares, groups: np.ndarray
) -> list[dict[str, Any]]:
    """What each group of like-minded annotators has in common."""
    result = []
    for group in range(groups.max() + 1):
        who = np.flatnonzero(groups == group)
        matrix = found.confusions[who].mean(axis=0) * found.prior[:, None]
        errors = matrix * (1.0 - np.eye(len(matrix)))
        i, j = np.unravel_index(errors.argmax(), errors.shape)
        result.append(
            {
                "people": len(who),
                "right": float(shares.share[who].mean()),
                "says": column.classes[j],
                "for": column.classes[i],
                "how_often": float(matrix[i, j] / max(found.prior[i], 1e-300)),
                "first": [column.annotators[a] for a in who[:5]],
            }
        )
    return result


def _notes(summary: dict[str, Any], overlap: bool) -> list[str]:
    name, found = summary["column"], []
    if not overlap:
        found.append(
            f"{name}: no two annotators share a picture; their noise and reliability "
            "can't be told from the labels"
        )
    elif summary["judged_by"] and not summary["judged_by"].startswith("clean/"):
        found.append(
            f"{name}: the truth is not known; each annotator is judged by the others "
            "of the same pictures"
        )
    if unlabelled := summary["unlabelled"]:
        found.append(f"{name}: its crowd gave {unlabelled} pictures no label")
    if silent := summary["silent"]:
        found.append(f"{name}: {silent} annotators have no label in this split")
    unsaid = [
        n for n, c in zip(summary["names"], summary["given"], strict=True) if not c
    ]
    if unsaid:
        found.append(f"{name}: no annotator gives {', '.join(unsaid)}")
    if overlap and not summary["dawid_skene"]["converged"]:
        found.append(f"{name}: Dawid-Skene has not converged")
    return found + _identity_notes(summary)


def _identity_notes(summary: dict[str, Any]) -> list[str]:
    told = summary["identity"]
    if told is None or told["probability"] <= LIKELY:
        return []
    text = (
        f"{summary['column']}: annotators differ no more than if their ids were dealt "
        f"at random (spread of agreement {told['ratio']:.2f} of chance): "
    )
    if told["labels"] < FEW * told["annotators"]:
        return [text + "they are alike, have too few labels, or the ids are shuffled"]
    return [text + "these ids look shuffled, or the annotators are all alike"]

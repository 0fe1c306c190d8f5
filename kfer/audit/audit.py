"""A prepared data set's annotators: everything that its labels alone tell."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from kfer.audit import (
    agreement,
    confusion,
    contradictions,
    crowd_classes,
    crowd_values,
    dawid_skene,
    label_sets,
    values,
)
from kfer.audit.dawid_skene import Consensus
from kfer.audit.label_sets import LabelSets
from kfer.crowd.triples import Triples
from kfer.crowd.values import ValueConsensus
from kfer.data import dataset as dataset_lib
from kfer.noise import flips
from kfer.training import run_folder

FORMAT_VERSION = 1
CONSENSUS = "consensus (Dawid-Skene)"
MAJORITY = "majority vote"
CROWD = "annotators"


class Audit(NamedTuple):
    """What an audit finds."""

    summary: dict[str, Any]  # plain and JSON-able; see docs/guide/audit.md
    sets: LabelSets
    consensus: Consensus | None  # None where no annotator gives a class
    # crowd column -> the consensus of its classes, or of each dimension of its values
    crowds: dict[str, Consensus | list[ValueConsensus]] = {}


def audit(data_dir: str, split: str = "train", command: str = "") -> Audit:
    """Audits the label columns of one split.

    Args:
      data_dir: a prepared data set.
      split: of it.
      command: for the record.

    Raises:
      UserError: no data set, or see label_sets.read.
    """
    dataset = dataset_lib.load(data_dir)
    sets = label_sets.read(dataset, split)
    classes, consensus = of_classes(sets)
    crowds, accounts = of_crowds(sets)
    if classes and classes["pairwise"] is None:
        crowds = [_as_crowd(sets, classes), *crowds]
    summary = {
        "format_version": FORMAT_VERSION,
        "provenance": run_folder.versions(dataset, command),
        "split": split,
        "pictures": len(sets.ids),
        "missing": {
            name: int(np.sum(~label_sets.given(labels)))
            for name, labels in sets.labels.items()
        },
        "notes": notes(sets, classes, crowds),
        "classes": classes,
        "values": [of_values(sets, names) for names in sets.values()],
        "contradictions": contradictions.find(sets),
    }
    if crowds:
        summary["crowds"] = crowds
    return Audit(summary, sets, consensus, accounts)


def of_crowds(
    sets: LabelSets,
) -> tuple[list[dict[str, Any]], dict[str, Consensus | list[ValueConsensus]]]:
    """The crowd columns: what is found of each, and the consensus by column."""
    summaries, accounts = [], {}
    for name, column in sets.crowd_columns.items():
        truth_name, truth = sets.truth(name)
        triples = sets.crowds[name]
        found = (
            crowd_classes.of_column(triples, column, truth, truth_name)
            if column.is_categorical
            else crowd_values.of_column(triples, column, truth)
        )
        if found is not None:
            summary, accounts[name] = found
            summaries.append(summary)
    return summaries, accounts


def _as_crowd(sets: LabelSets, classes: dict[str, Any]) -> dict[str, Any]:
    """Columns of one annotator each, more than can be shown in pairs, as a crowd."""
    names = classes["annotators"]
    truth_name, truth = sets.truth(names[0])
    column = dataclasses.replace(
        sets.columns[names[0]], name=truth_name or CROWD, annotators=tuple(names)
    )
    stack = np.stack([sets.labels[name] for name in names])
    triples = Triples.of_sets(stack, column.size, sets.keys)
    return crowd_classes.of_column(triples, column, truth, truth_name).summary


def notes(
    sets: LabelSets,
    classes: dict[str, Any] | None,
    crowds: Sequence[dict[str, Any]] = (),
) -> list[str]:
    """What a reader of the numbers must know, one sentence each."""
    empty = [n for n, rows in sets.labels.items() if not label_sets.given(rows).any()]
    found = [f"{name} has no label" for name in empty]
    found += [note for crowd in crowds for note in crowd["notes"]]
    copies = [n for names in sets.values() for n in _copies(sets, names)]
    found += map(_copy_note, copies)
    if classes is None:
        return found if crowds else [*found, "no annotator gives a class"]
    found += map(_copy_note, classes["same_as_reference"])
    if not classes["overlap"]:
        found.append(
            "no two annotators share a picture: their noise and reliability can't be "
            "told from the labels"
        )
    if without := classes["unanimity"]["labels"][0]:
        found.append(f"{without} of {len(sets.ids)} pictures have no annotator's class")
    if classes["never_given"]:
        found.append(f"no annotator gives {', '.join(classes['never_given'])}")
    if len(set(classes["annotators"]) - set(empty)) < 3:
        found.append(
            "fewer than 3 annotators: Dawid-Skene's matrices are not determined"
        )
    if classes["reference"] == CONSENSUS and classes["overlap"]:
        found.append(
            "the truth is not known: label sets are compared with their own consensus, "
            "which flatters them"
        )
    if not classes["dawid_skene"]["converged"]:
        found.append("Dawid-Skene has not converged")
    return found


def _copy_note(name: str) -> str:
    return f"{name} is the reference itself, or its copy: its noise can't be told"


def of_classes(sets: LabelSets) -> tuple[dict[str, Any] | None, Consensus | None]:
    """The annotators' classes: agreement, consensus, and noise against a reference.

    The reference is the truth where the split has it, else the consensus.

    Returns:
      (None, None) if no annotator gives any class.
    """
    names = sets.annotators()
    if not any(label_sets.given(sets.labels[name]).any() for name in names):
        return None, None
    classes = sets.columns[names[0]].classes
    stack = np.stack([sets.labels[name] for name in names])
    consensus = dawid_skene.fit(stack, len(classes), keys=sets.keys)
    truth_name, truth = sets.truth(names[0])
    votes = agreement.votes(stack, len(classes))
    overlap = bool((votes.sum(axis=1) > 1).any())
    reference = consensus.classes if truth is None else truth
    if truth is None and not overlap:
        # Of labels without a second opinion, the consensus is the labels themselves.
        reference = np.full_like(reference, -1)
    computed = {MAJORITY: flips.majority_vote(stack, len(classes))}
    if truth is not None:
        computed[CONSENSUS] = consensus.classes
    columns = {name: sets.labels[name] for name in (*names, *sets.derived())}
    same = [name for name, labels in columns.items() if _is_copy(labels, truth)]
    # What is computed of copies alone says no more than they do.
    untold = {*same, *(computed if {*names} <= {*same} else ())}
    few = len(names) <= dawid_skene.FEW
    found = {
        "names": list(classes),
        "annotators": names,
        "reference": CONSENSUS if truth is None else f"clean/{truth_name}",
        "against": {
            name: _against(labels, reference, len(classes), name in untold)
            for name, labels in (columns | computed).items()
        },
        "pairwise": agreement.pairwise(stack, len(classes)) if few else None,
        "fleiss_kappa": agreement.fleiss_kappa(votes),
        "unanimity": agreement.unanimity(votes),
        "never_given": [classes[i] for i in np.flatnonzero(~votes.any(axis=0))],
        "dawid_skene": _described(consensus, names, overlap or truth is not None),
        "overlap": overlap,
        "same_as_reference": same,
    }
    return found, consensus


def _against(
    labels: np.ndarray, reference: np.ndarray, num_classes: int, untold: bool
) -> dict[str, Any]:
    """confusion.against, or of nothing where a comparison would tell nothing."""
    reference = np.full_like(reference, -1) if untold else reference
    return confusion.against(labels, reference, num_classes)


def _is_copy(labels: np.ndarray, truth: np.ndarray | None) -> bool:
    """Whether the labels are the truth, picture by picture."""
    return truth is not None and np.array_equal(
        labels, truth, equal_nan=labels.dtype.kind == "f"
    )


def _described(consensus: Consensus, names: list[str], known: bool) -> dict[str, Any]:
    """The fit; without confusions where they would be those of labels with
    themselves."""
    confusions = consensus.confusions if known else np.zeros_like(consensus.confusions)
    return {
        "iterations": consensus.iterations,
        "converged": consensus.converged,
        "log_likelihood": consensus.log_likelihood,
        "prior": consensus.prior.tolist(),
        "confusions": dict(zip(names, confusions.tolist(), strict=True)),
    }


def _copies(sets: LabelSets, names: Sequence[str]) -> list[str]:
    """The label sets of values that are the truth itself."""
    return [n for n in names if _is_copy(sets.labels[n], sets.truth(n)[1])]


def of_values(sets: LabelSets, names: list[str]) -> dict[str, Any]:
    """Continuous label sets of the same dimensions."""
    stack = [sets.labels[name] for name in names]
    truth_name, truth = sets.truth(names[0])
    found: dict[str, Any] = {
        "columns": names,
        "dimensions": list(sets.columns[names[0]].dimensions),
        "spread": dict(zip(names, map(values.spread, stack), strict=True)),
        "pairwise": values.pairwise(stack),
        "against": {},
    }
    copies = _copies(sets, names)
    compared = {n: sets.labels[n] for n in names if n not in copies}
    if truth is not None and compared:
        found["against"][f"clean/{truth_name}"] = {
            name: values.against(labels, truth) for name, labels in compared.items()
        }
    if len(names) > 1:
        found["against"]["the mean of the others"] = {
            name: values.against(stack[i], values.mean_of_others(stack, i))
            for i, name in enumerate(names)
        }
    return found

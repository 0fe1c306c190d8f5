"""Each annotator's account: how often right, which errors; bias, scale and spread."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from kfer import tasks as tasks_lib
from kfer.audit import dawid_skene, reliability, truth, values
from kfer.audit.label_sets import LabelSets
from kfer.crowd import dawid_skene as crowd
from kfer.crowd import people
from kfer.crowd.triples import Triples
from kfer.data import own_data
from kfer.data.dataset import Dataset
from kfer.data.label_noise import ANNOTATOR
from kfer.data.record import Column
from kfer.data.rewrite import KEPT
from kfer.settings.config import ExperimentConfig

BY_TRUTH, BY_MODEL = "the truth", "the model"
BY_BOTH = "the model and the others"
COLUMNS = (
    "target",
    "annotator",
    "labels",
    "accuracy",
    "low",
    "high",
    "confusion",
    "bias",
    "scale",
    "spread",
    "judged_by",
)


def rows(
    dataset: Dataset,
    sets: LabelSets,
    config: ExperimentConfig,
    by_target: Mapping[str, np.ndarray],
) -> list[dict[str, Any]]:
    """One row of COLUMNS, plain and JSON-able, for each annotator of each target.

    Annotators of classes are judged by the truth where the split has it; else by what
    the model and the others of a picture make likely (kfer.audit.truth), which leaves
    out the label that is judged; else, where no two share a picture, by the model
    alone, which has learned from these labels.

    Args:
      dataset: prepared.
      sets: the labels of one of its splits.
      config: of the model.
      by_target: its answers on that split, target -> [n, size].
    """
    found: list[dict[str, Any]] = []
    for target, task in tasks_lib.task_of_target(config.tasks).items():
        for names, columns in _groups(dataset, sets, target):
            of_group = _of_classes if task.is_categorical else _of_values
            for row in of_group(sets, names, columns, by_target[target]):
                found.append({"target": target} | row)
    return found


def frame(found: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows as a frame: confusion [K, K] arrays, NaN where unknown."""
    table = pd.DataFrame(found, columns=list(COLUMNS))
    for name in ("confusion", "bias", "scale", "spread"):
        table[name] = [_array(cell) for cell in table[name]]
    return table


def _array(cell: Any) -> np.ndarray | None:
    if not isinstance(cell, list):
        return None
    width = max((len(row) for row in cell if isinstance(row, list)), default=0)
    if width:
        cell = [[np.nan] * width if row is None else row for row in cell]
    return np.array(cell, np.float64)


def _groups(
    dataset: Dataset, sets: LabelSets, target: str
) -> Iterator[tuple[list[str], dict[str, Column]]]:
    """Names of people and their columns: a crowd column's, and those of one each."""
    for name, column in sets.crowd_columns.items():
        if own_data.target_of(column, dataset.clean_columns) == target:
            yield list(column.annotators), {name: column}
    single = {
        name: column
        for name, column in sets.columns.items()
        if own_data.target_of(column, dataset.clean_columns) == target
        and name != target
        and name != own_data.MAJORITY
        and not name.startswith(KEPT)
    }
    if single:
        yield [_person(name, target) for name in single], single


def _person(column: str, target: str) -> str:
    return column.removeprefix(ANNOTATOR).removesuffix(f"_{target}")


def _of_classes(
    sets: LabelSets, names: list[str], columns: dict[str, Column], model: np.ndarray
) -> Iterator[dict[str, Any]]:
    first = next(iter(columns))
    if first in sets.crowds:
        triples = sets.crowds[first]
    else:
        stack = np.stack([sets.labels[name] for name in columns])
        triples = Triples.of_sets(stack, model.shape[1], sets.keys)
    if not len(triples.item):
        return
    _, known = sets.truth(first)
    shares, posterior, judged_by = _judged(triples, known, model)
    said = triples.of_annotator()
    for index, name in enumerate(names):
        if not said[index]:
            continue
        own = triples.where(triples.annotator == index)
        counts = np.zeros(2 * (triples.num_classes,))
        np.add.at(counts.T, own.label, posterior[own.item])
        compared = shares.compared[index] > 0
        yield {
            "annotator": name,
            "labels": int(said[index]),
            "accuracy": float(shares.share[index]) if compared else None,
            "low": float(shares.low[index]) if compared else None,
            "high": float(shares.high[index]) if compared else None,
            "confusion": reliability.rows_of(counts),
            "judged_by": judged_by,
        }


def _judged(
    triples: Triples, known: np.ndarray | None, model: np.ndarray
) -> tuple[people.Shares, np.ndarray, str]:
    """Shares of right labels, the truth [N, K] as far as it is known, and by what."""
    if known is not None:
        rows = np.eye(model.shape[1])[np.maximum(known, 0)]
        rows = rows * (known >= 0)[:, None]
        return people.right_by_truth(triples, known), rows, BY_TRUTH
    if not (triples.of_item() > 1).any():
        return people.right_by_posterior(triples, model), model, BY_MODEL
    many = np.sum(triples.of_annotator() > 0) > dawid_skene.FEW
    strength = crowd.fit_held_out(triples).strength if many else 0.0
    both = truth.fit_triples(model, triples, strength)
    return people.right_by_others(triples, both), both.posterior, BY_BOTH


def _of_values(
    sets: LabelSets, names: list[str], columns: dict[str, Column], model: np.ndarray
) -> Iterator[dict[str, Any]]:
    """Value = bias + scale (truth - its mean) + its mean, with a spread around it."""
    first = next(iter(columns))
    _, known = sets.truth(first)
    reference, judged_by = (model, BY_MODEL) if known is None else (known, BY_TRUTH)
    for index, name in enumerate(names):
        given = _values(sets, first, index) if first in sets.crowds else None
        given = sets.labels[list(columns)[index]] if given is None else given
        found = values.against(given, reference.astype(np.float64))
        if not (labels := int(values.known_rows(given).sum())):
            continue
        yield {
            "annotator": name,
            "labels": labels,
            "bias": found["bias"],
            "scale": found["scale"],
            "spread": found["noise_std"],
            "judged_by": judged_by,
        }


def _values(sets: LabelSets, name: str, index: int) -> np.ndarray:
    """One person's values of a crowd column, [n, D], NaN where missing."""
    dimensions = sets.crowds[name]
    found = np.full((len(sets.ids), len(dimensions)), np.nan)
    for d, one in enumerate(dimensions):
        own = one.annotator == index
        found[one.item[own], d] = one.value[own]
    return found

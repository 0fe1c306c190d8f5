"""Scores within the classes of a column, such as gender or pose, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN, LABEL, Column
from kfer.errors import UserError
from kfer.metrics import classification, intervals, suite
from kfer.settings.config import ExperimentConfig
from kfer.tasks import LabelTask

NOT_GIVEN = "(not given)"
# Of the bootstrap, so that the same predictions have the same intervals.
_SEED = 0
_BATCH = 4096

# target -> kfer.evaluation.scoring.Predictions, which imports this module.
Predictions = Mapping[str, Any]


def columns(
    dataset: Dataset, split: str, names: Sequence[str]
) -> dict[str, tuple[str, Column]]:
    """Name -> feature and column, of class columns that the split has values of.

    Args:
      dataset: prepared.
      split: of it.
      names: of columns; of a name that is a truth's and a label's, the truth.

    Raises:
      UserError: a name is none of them.
    """
    known = _class_columns(dataset, split)
    if unknown := [name for name in names if name not in known]:
        raise UserError(
            f"{split} in {dataset.root} has no class column {unknown[0]!r} to slice "
            f"by; it has {', '.join(sorted(known)) or 'none'}"
        )
    return {name: known[name] for name in names}


def _class_columns(dataset: Dataset, split: str) -> dict[str, tuple[str, Column]]:
    given = dataset.split(split).given
    labels = {n: (LABEL + n, column) for n, column in dataset.columns.items()}
    truth = {n: (CLEAN + n, column) for n, column in dataset.clean_columns.items()}
    return {
        name: (feature, column)
        for declared in (labels, truth)
        for name, (feature, column) in declared.items()
        if column.is_categorical and not column.annotators and given.get(feature)
    }


def classes_of(
    dataset: Dataset, split: str, feature: str, column: Column
) -> np.ndarray:
    """A column's classes int64 [n] in the stored order, -1 where it has no value."""
    import tensorflow as tf

    from kfer.data import broken, labels

    records = tf.data.TFRecordDataset(dataset.files(split)).batch(_BATCH)
    with broken.one_line(dataset):
        found = [labels.parse(rows, {feature: column})[feature] for rows in records]
    return np.concatenate(found)


def of(
    predictions: Predictions,
    dataset: Dataset,
    config: ExperimentConfig,
    split: str,
    batch_size: int,
    names: Sequence[str],
) -> dict[str, Any]:
    """Scores within each class of each column.

    Args:
      predictions: of kfer.evaluation.scoring.collect.
      dataset, config, split, batch_size: as they were given to it.
      names: of the columns; none, no scores.

    Returns:
      Column -> class, and NOT_GIVEN for records without one, -> 'records' and
      'scores': target -> `scores_of`. The records of a column add up to the split's.

    Raises:
      UserError: see `columns`.
    """
    tasks = tasks_lib.task_of_target(config.tasks)
    found: dict[str, Any] = {}
    for name, (feature, column) in columns(dataset, split, names).items():
        classes = classes_of(dataset, split, feature, column)
        rows = {text: classes == k for k, text in enumerate(column.classes)}
        if (missing := classes < 0).any():
            rows[NOT_GIVEN] = missing
        found[name] = {
            text: {
                "records": int(chosen.sum()),
                "scores": {
                    target: _slice_of(tasks[target], part, chosen, batch_size)
                    for target, part in predictions.items()
                },
            }
            for text, chosen in rows.items()
        }
    return found


def _slice_of(
    task: LabelTask, part: Any, chosen: np.ndarray, batch_size: int
) -> dict[str, Any]:
    record = positions(part, chosen, batch_size)
    return scores_of(task, part, chosen[record], record)


def positions(part: Any, of_split: np.ndarray, batch_size: int) -> np.ndarray:
    """Which record each row of predictions is of: against labels, each batch's rows
    come once for every label set."""
    count = len(of_split)
    sets = len(part.mask) // count
    return np.concatenate(
        [
            np.tile(np.arange(begin, min(begin + batch_size, count)), sets)
            for begin in range(0, count, batch_size)
        ]
    )


def scores_of(
    task: LabelTask, part: Any, chosen: np.ndarray, record: np.ndarray
) -> dict[str, Any]:
    """A slice's measures of one target.

    Args:
      task: of the target.
      part: predictions, targets and mask of all rows.
      chosen: bool [n], the slice's.
      record: which each row is of, [n].

    Returns:
      'num_examples', the single numbers of kfer.metrics.suite.evaluate_task,
      'intervals': measure -> [low, high] or None, see kfer.metrics.intervals, and where
      there are too few pictures for the bootstrap 'note', which says so.
    """
    prediction, target, mask = (values[chosen] for values in part)
    scores = suite.evaluate_task(task, prediction, target, mask)
    given = mask > 0
    picture = record[chosen][given]
    ends = _intervals(task, prediction[given], target[given], picture)
    found = {"num_examples": scores["num_examples"]}
    found |= {name: scores[name] for name in suite.measures(scores)}
    found["intervals"] = {name: pair and list(pair) for name, pair in ends.items()}
    if (count := len(np.unique(picture))) < intervals.FEWEST:
        what = "examples" if count == len(picture) else "pictures"
        found["note"] = f"too few to compare: {count} of {intervals.FEWEST} {what}"
    return found


def _intervals(
    task: LabelTask, prediction: np.ndarray, target: np.ndarray, picture: np.ndarray
) -> dict[str, intervals.Interval | None]:
    """Of rows that all have a target, and of the picture that each is of."""
    rng = np.random.default_rng(_SEED)
    if not task.is_categorical:
        rows = target.astype(np.float64), prediction.astype(np.float64)
        return intervals.of_values(*rows, rng, picture)
    true, said = target.astype(np.int64), prediction.argmax(axis=1)
    if len(np.unique(picture)) < len(picture):
        return intervals.of_labels(true, said, task.size, picture, rng)
    confusion = classification.confusion_matrix(true, said, task.size)
    return intervals.of_classes(confusion, rng)


def tables(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`of` as tables of text, one for each column and target.

    Returns:
      'title', 'heads' (measures) and 'rows', each 'slice', 'count' of examples, 'cells'
      as '0.8123 [0.7201, 0.8799]', and 'note' where there are too few.
    """
    made = []
    for column, rows in found.items():
        for target in next(iter(rows.values()))["scores"]:
            scores = {text: row["scores"][target] for text, row in rows.items()}
            heads = list(next(iter(scores.values()))["intervals"])
            made.append(
                {
                    "title": f"{target} by {column}",
                    "heads": [name.replace("_", " ") for name in heads],
                    "rows": [_row(text, row) for text, row in scores.items()],
                }
            )
    return made


def _row(text: str, scores: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "slice": text,
        "count": scores["num_examples"],
        "cells": [_cell(scores[n], ends) for n, ends in scores["intervals"].items()],
        "note": scores.get("note", ""),
    }


def _cell(value: float | None, ends: Sequence[float] | None) -> str:
    text = "n/a" if value is None else f"{value:.4f}"
    return text + (f" [{ends[0]:.4f}, {ends[1]:.4f}]" if ends else "")


def describe(found: Mapping[str, Any]) -> list[str]:
    """`tables` as lines of text."""
    lines = []
    for table in tables(found):
        lines += ["", f"{table['title']}, with 95 % intervals"]
        width = max(len(row["slice"]) for row in table["rows"])
        for row in table["rows"]:
            cells = zip(table["heads"], row["cells"], strict=True)
            said = "  ".join(f"{head} {cell}" for head, cell in cells)
            note = f"  ({row['note']})" if row["note"] else ""
            line = f"  {row['slice']:<{width}}  {row['count']:>6}  {said}{note}"
            lines.append(line)
    return lines

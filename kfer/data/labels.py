"""From stored features to what the losses and metrics read: values and masks."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from kfer.data import crowds, meanings, record
from kfer.data.crowd_labels import CROWD
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN, LABEL, TRUTH, Column
from kfer.errors import UserError
from kfer.structures import CrowdLabels
from kfer.tasks import CATEGORICAL, CONTINUOUS, LabelTask


def feature_of(task: LabelTask) -> str:
    """The feature a task learns: a column 'clean/<name>' is the truth, else a label."""
    return task.column if task.column.startswith(CLEAN) else LABEL + task.column


def column_of(task: LabelTask, columns: dict[str, Column], name: str) -> Column:
    """The column that a task reads, checked to mean what the task means.

    Raises:
      UserError: the data set has no such column, or it means something else.
    """
    if name not in columns:
        raise UserError(
            f"Task {task.name!r} needs the label column {name!r}; this data set has "
            f"{', '.join(sorted(columns)) or 'none'}"
        )
    column = columns[name]
    expected = task.classes or task.dimensions
    if (found := column.classes or column.dimensions) != expected:
        raise UserError(
            f"Column {name!r} of this data set has {found}, task {task.name!r} "
            f"expects {expected}"
        )
    if (column.kind == CONTINUOUS) != (task.kind == CONTINUOUS):
        raise UserError(
            f"Column {name!r} of this data set holds {column.kind} labels, task "
            f"{task.name!r} learns {task.kind} ones; prepare the data set again if it "
            "is older than votes as labels"
        )
    return column


def training_columns(
    dataset: Dataset, tasks: Iterable[LabelTask], split: str
) -> dict[str, Column]:
    """Feature -> column for what the tasks learn.

    Raises:
      UserError: a column is missing, means something else, or has no value there.
    """
    found = {}
    for task in tasks:
        feature = feature_of(task)
        prefix, name = feature.split("/", 1)
        declared = dataset.clean_columns if prefix == "clean" else dataset.columns
        found[feature] = column_of(task, declared, name)
        if not dataset.split(split).given.get(feature):
            raise UserError(
                f"No example of {split} in {dataset.root} has a value of {feature}, "
                f"which task {task.name!r} learns"
            )
    return found


def target_columns(
    dataset: Dataset, tasks: Iterable[LabelTask], split: str
) -> dict[str, Column]:
    """Target -> clean column, for the tasks' targets that the split has values of.

    Raises:
      UserError: the split has none of them, or a column means something else.
    """
    tasks = tuple(tasks)
    given = dataset.split(split).given
    found = {
        task.target: column_of(task, dataset.clean_columns, task.target)
        for task in tasks
        if given.get(CLEAN + task.target)
    }
    if not found:
        targets = ", ".join(sorted({task.target for task in tasks}))
        labelled = any(name.startswith(LABEL) for name in given)
        advice = (
            "; --against=labels (from Python, against='labels') compares with those"
        )
        raise UserError(
            meanings.unlike(dataset, tasks)
            or f"{split} in {dataset.root} has no truth of {targets} to compare with; "
            f"it has {', '.join(sorted(given)) or 'nothing'}"
            + (advice if labelled else "")
        )
    return found


def compared_columns(
    dataset: Dataset, tasks: Iterable[LabelTask], split: str, against: str = TRUTH
) -> dict[str, Column]:
    """Feature -> column, for what answers are compared with in a split.

    Args:
      dataset: prepared.
      tasks: learned.
      split: to compare in.
      against: TRUTH for the tasks' targets, LABELS for what the tasks learn.

    Raises:
      UserError: the split has none of them, or a column means something else.
    """
    if against == TRUTH:
        found = target_columns(dataset, tasks, split)
        return {CLEAN + name: column for name, column in found.items()}
    tasks = tuple(tasks)
    given = dataset.split(split).given
    learned = [task for task in tasks if given.get(feature_of(task))]
    if not learned:
        raise UserError(
            meanings.unlike(dataset, tasks)
            or f"{split} in {dataset.root} has no label that the tasks learn to "
            "compare answers with"
        )
    return training_columns(dataset, learned, split)


def parse(serialized: tf.Tensor, columns: Mapping[str, Column]) -> dict[str, tf.Tensor]:
    """Serialized records [N] as features: the encoded picture and these columns.

    Raises:
      InvalidArgumentError: a class that its column doesn't have, named.
    """
    features = _with_crowds(
        tf.io.parse_example(serialized, record.parsing_spec(dict(columns))), columns
    )
    checks = [
        tf.debugging.assert_equal(
            tf.reduce_all((features[name] >= -1) & (features[name] < column.size)),
            True,
            message=f"{name} has a class outside 0..{column.size - 1}",
        )
        for name, column in columns.items()
        if column.is_categorical
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        return {name: tf.identity(value) for name, value in features.items()}


def _with_crowds(
    features: dict[str, Any], columns: Mapping[str, Column]
) -> dict[str, tf.Tensor]:
    """Parsed features, crowd columns as their majority with who said what beside."""
    found = {n: v for n, v in features.items() if not n.startswith(CROWD)}
    for name, column in columns.items():
        if column.annotators:
            said = crowds.padded(features, column)
            pictures = features[record.IMAGE]
            found[name] = crowds.one_label(said, column, pictures)
            parts = said._asdict().items()
            found |= {f"{CROWD}{column.name}/{key}": part for key, part in parts}
    return found


def training_crowds(
    features: Mapping[str, tf.Tensor],
    tasks: Iterable[LabelTask],
    columns: Mapping[str, Column],
) -> dict[str, CrowdLabels]:
    """Who said what, by task name, of the tasks on a crowd column."""
    return {
        task.name: CrowdLabels(
            *(features[f"{CROWD}{column.name}/{key}"] for key in CrowdLabels._fields)
        )
        for task in tasks
        if (column := columns[feature_of(task)]).annotators
    }


def value_and_mask(value: tf.Tensor, column: Column) -> tuple[tf.Tensor, tf.Tensor]:
    """A parsed feature as the value with 0 where it is missing, and where it is not.

    Args:
      value: int64 [B], -1 where missing; or float32 [B, D], NaN where missing.
      column: whose value it is.

    Returns:
      int32 [B] or float32 [B, D], and float32 [B] of 0 and 1. A vector with any NaN is
      missing as a whole. Votes are shares that sum to 1; without a vote they are
      missing.
    """
    if column.is_categorical:
        given = value >= 0
        value = tf.cast(tf.where(given, value, 0), tf.int32)
    elif column.is_votes:
        total = tf.reduce_sum(value, axis=-1)
        given = tf.math.is_finite(total) & (total > 0.0)
        shares = tf.math.divide_no_nan(value, total[:, tf.newaxis])
        value = tf.where(given[:, tf.newaxis], shares, 0.0)
    else:
        given = tf.reduce_all(tf.math.is_finite(value), axis=-1)
        value = tf.where(given[:, tf.newaxis], value, 0.0)
    return value, tf.cast(given, tf.float32)


def majorities(
    features: Mapping[str, tf.Tensor], columns: Mapping[str, Column]
) -> tuple[dict[str, tf.Tensor], dict[str, Column]]:
    """Parsed features and their columns, votes as the class with the most of them.

    Answers are compared with classes. A tie is drawn by a hash of the picture, see
    kfer.data.crowds.most.

    Returns:
      The features, votes as int64 [B], -1 where nobody voted; and what they mean.
    """
    found, meanings = dict(features), dict(columns)
    for name, column in columns.items():
        if column.is_votes:
            shares, mask = value_and_mask(features[name], column)
            most = crowds.most(shares, features["image/encoded"])
            found[name] = tf.where(mask > 0, most, -1)
            meanings[name] = dataclasses.replace(column, kind=CATEGORICAL)
    return found, meanings


def training_labels(
    features: Mapping[str, tf.Tensor],
    tasks: Iterable[LabelTask],
    columns: Mapping[str, Column],
    clip: bool,
) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Labels and masks by task name; see structures.Batch.

    Args:
      features: of a batch, from parse.
      tasks: learned.
      columns: feature -> column, from training_columns.
      clip: clip continuous labels to the task's range.
    """
    labels, mask = {}, {}
    for task in tasks:
        feature = feature_of(task)
        value, mask[task.name] = value_and_mask(features[feature], columns[feature])
        if clip and not task.is_categorical:
            value = tf.clip_by_value(value, task.low, task.high)
        labels[task.name] = value
    return labels, mask

"""Who said what of a target, whatever columns it stands in."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from kfer.crowd.triples import Triples, Values, keys_of
from kfer.data import crowds, labels
from kfer.data.dataset import Dataset
from kfer.data.record import Column
from kfer.tasks import LabelTask

_BATCH = 4096


def of_target(
    dataset: Dataset, tasks: Iterable[LabelTask], split: str = "train"
) -> Triples:
    """All class labels of one truth, annotators numbered from task to task.

    Args:
      dataset: prepared.
      tasks: label sets of classes with one target; a crowd column counts as many
        annotators as it has, any other as one.
      split: of the data set; items are its records in their order, keyed by their ids.

    Raises:
      UserError: a column is missing or means something else.
    """
    first, item, who, label = 0, [], [], []
    tasks = tuple(tasks)
    for task in tasks:
        found = _of_task(dataset, task, split)
        item.append(found.item)
        who.append(found.annotator + first)
        label.append(found.label)
        first += found.num_annotators
    size = dataset.split(split).num_records
    parts = (np.concatenate(part) for part in (item, who, label))
    return Triples(*parts, size, first, tasks[0].size, found.keys)


def of_tasks(
    dataset: Dataset, tasks: Iterable[LabelTask], split: str = "train"
) -> dict[str, Triples | list[Values]]:
    """Target -> all labels of it: of_target of classes, values_of_target of values."""
    found: dict[str, list[LabelTask]] = {}
    for task in tasks:
        found.setdefault(task.target, []).append(task)
    return {
        target: of_target(dataset, own, split)
        if own[0].is_categorical
        else values_of_target(dataset, own, split)
        for target, own in found.items()
    }


def values_of_target(
    dataset: Dataset, tasks: Iterable[LabelTask], split: str = "train"
) -> list[Values]:
    """All values of one truth, one for each dimension; see of_target."""
    parts = [_values_of_task(dataset, task, split) for task in tasks]
    size = dataset.split(split).num_records
    firsts = np.cumsum([0, *(part[0].num_annotators for part in parts)])
    found = []
    for same in zip(*parts, strict=True):
        item = np.concatenate([one.item for one in same])
        who = [one.annotator + first for one, first in zip(same, firsts, strict=False)]
        value = np.concatenate([one.value for one in same])
        sizes = size, int(firsts[-1])
        found.append(Values(item, np.concatenate(who), value, *sizes, same[0].keys))
    return found


def _values_of_task(dataset: Dataset, task: LabelTask, split: str) -> list[Values]:
    columns = labels.training_columns(dataset, [task], split)
    ((feature, column),) = columns.items()
    if column.annotators:
        return crowds.triples(dataset, split, column.name)
    given, keys = _read(dataset, split, columns, feature)
    rows = given.astype(np.float64)
    rows[~np.isfinite(rows).all(axis=1)] = np.nan
    return [Values.of_sets(dimension[np.newaxis], keys) for dimension in rows.T]


def _read(
    dataset: Dataset, split: str, columns: dict[str, Column], feature: str
) -> tuple[np.ndarray, np.ndarray]:
    """A feature of all records, [N] or [N, D], and the keys of their ids, [N]."""
    id_alone = {"image_id": tf.io.FixedLenFeature([], tf.string)}
    values, ids = [], []
    for rows in tf.data.TFRecordDataset(dataset.files(split)).batch(_BATCH):
        values.append(labels.parse(rows, columns)[feature].numpy())
        ids.extend(tf.io.parse_example(rows, id_alone)["image_id"].numpy())
    return np.concatenate(values), keys_of(one.decode() for one in ids)


def _of_task(dataset: Dataset, task: LabelTask, split: str) -> Triples:
    columns = labels.training_columns(dataset, [task], split)
    ((feature, column),) = columns.items()
    if column.annotators:
        return crowds.triples(dataset, split, column.name)
    given, keys = _read(dataset, split, columns, feature)
    return Triples.of_sets(given[np.newaxis], column.size, keys)

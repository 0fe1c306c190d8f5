"""Who said what of a target, whatever columns it stands in."""

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from kfer.crowd.triples import Triples
from kfer.data import crowds, labels
from kfer.data.dataset import Dataset
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
      split: of the data set; items are its records in their order.

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
    return Triples(*parts, size, first, tasks[0].size)


def _of_task(dataset: Dataset, task: LabelTask, split: str) -> Triples:
    columns = labels.training_columns(dataset, [task], split)
    ((feature, column),) = columns.items()
    if column.annotators:
        return crowds.triples(dataset, split, column.name)
    records = tf.data.TFRecordDataset(dataset.files(split)).batch(_BATCH)
    given = [labels.parse(rows, columns)[feature].numpy() for rows in records]
    return Triples.of_sets(np.concatenate(given)[np.newaxis], column.size)

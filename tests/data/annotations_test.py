"""Labels of a target as triples, from columns of one annotator and of a crowd."""

import numpy as np
import tensorflow as tf

from kfer import tasks
from kfer.data import annotations, crowds, labels
from tests import runs
from tests.data import crowded


def test_columns_of_one_annotator_are_numbered_in_the_tasks_order():
    config, data = runs.config(method="vgg_all"), runs.dataset()
    own = [task for task in config.tasks if task.is_categorical]
    found = annotations.of_target(data, own)
    assert found.num_annotators == len(own) == 3
    assert found.num_items == data.split("train").num_records
    for number, task in enumerate(own):
        mine = found.where(found.annotator == number)
        columns = labels.training_columns(data, [task], "train")
        ((feature, _),) = columns.items()
        rows = tf.data.TFRecordDataset(data.files("train")).batch(1000)
        given = np.concatenate([labels.parse(r, columns)[feature] for r in rows])
        np.testing.assert_array_equal(mine.item, np.flatnonzero(given >= 0))
        np.testing.assert_array_equal(mine.label, given[given >= 0])


def test_a_crowd_column_counts_its_people(tmp_path):
    data = crowded.write(tmp_path / "set")
    column = data.columns["mood"]
    task = tasks.LabelTask("mood", "categorical", column.classes, target="truth")
    found = annotations.of_target(data, [task, task])
    alone = crowds.triples(data, "train", "mood")
    assert found.num_annotators == 2 * len(column.annotators)
    np.testing.assert_array_equal(found.item, np.tile(alone.item, 2))
    second = found.where(found.annotator >= len(column.annotators))
    np.testing.assert_array_equal(
        second.annotator - len(column.annotators), alone.annotator
    )

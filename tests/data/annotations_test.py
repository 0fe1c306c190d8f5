"""Labels of a target as triples, from columns of one annotator and of a crowd."""

import numpy as np
import tensorflow as tf

from kfer import tasks
from kfer.crowd import triples
from kfer.data import annotations, crowds, dataset, labels, record
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


def test_values_are_one_part_a_dimension(tmp_path):
    data = crowded.write(tmp_path / "set")
    point = data.columns["point"]
    task = tasks.LabelTask("point", "continuous", (), point.dimensions, 0.0, 9.0)
    mood = tasks.LabelTask("mood", "categorical", crowded.CLASSES, target="truth")
    found = annotations.of_tasks(data, [mood, task])
    assert found["truth"].num_annotators == 5
    x, y = found["point"]
    records = {image.decode(): i for i, image in enumerate(_ids(data))}
    first, last = records["p0"], records["p3"]
    assert sorted(zip(x.item, x.annotator, x.value, y.value, strict=True)) == sorted(
        [(first, 0, 1.0, 2.0), (first, 1, 3.0, 4.0), (last, 4, 9.0, 0.0)]
    )
    twice, _ = annotations.values_of_target(data, [task, task])
    assert (twice.num_annotators, len(twice.value)) == (10, 6)
    assert sorted(twice.annotator) == [0, 1, 4, 5, 6, 9]


def test_a_column_of_values_leaves_out_what_is_missing():
    config, data = runs.config(method="vgg_all"), runs.dataset()
    (task,) = (task for task in config.tasks if not task.is_categorical)
    valence, arousal = annotations.values_of_target(data, [task])
    given = data.split("train").given["label/" + task.column]
    assert len(valence.value) == len(arousal.value) == given
    assert valence.num_annotators == 1


def test_folds_follow_from_a_pictures_id_alone(tmp_path):
    """Half of the pictures, the other way round: theirs are the same folds."""
    columns = {
        "smile": record.categorical("smile", crowded.CLASSES),
        "pose": record.valence_arousal("pose"),
    }
    (picture, *_) = (one.image for one in crowded.records())
    given = [
        record.Record(
            f"p{i}",
            picture,
            {
                "smile": i % 3,
                "pose": (0.0, i / 40),
                "mood": ((i % 5, i % 3),),
                "point": ((i % 5, (1.0, 2.0)),),
            },
            {},
        )
        for i in range(40)
    ]
    folds = []
    for name, rows in (("all", given), ("half", given[::-2])):
        split, own = {"train": rows}, crowded.COLUMNS | columns
        data = dataset.write(str(tmp_path / name), name, split, own, {}, image_size=8)
        folds.append(_folds(data))
    for every, half in zip(*folds, strict=True):
        assert len(every) == 80 and len(half) == 40
        assert half == {pair: every[pair] for pair in half}


def _folds(data):
    """(id, annotator) -> fold of the classes, then of the values."""
    classes, points = crowded.CLASSES, crowded.POINT.dimensions
    smile = tasks.LabelTask("smile", "categorical", classes, target="truth")
    mood = tasks.LabelTask("mood", "categorical", classes, target="truth")
    pose = tasks.LabelTask("pose", "continuous", (), data.columns["pose"].dimensions)
    point = tasks.LabelTask("point", "continuous", (), points, 0.0, 9.0)
    ids = list(_ids(data))
    for found in (
        annotations.of_target(data, [smile, mood]),
        annotations.values_of_target(data, [pose, point])[0],
    ):
        pairs = zip(np.array(ids)[found.item], found.annotator, strict=True)
        yield dict(zip(pairs, triples.fold(found, 5), strict=True))


def _ids(data):
    for path in data.files("train"):
        for row in tf.data.TFRecordDataset(path):
            example = tf.train.Example.FromString(row.numpy())
            yield example.features.feature["image_id"].bytes_list.value[0]

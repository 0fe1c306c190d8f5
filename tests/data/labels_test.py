import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.data import labels, record
from kfer.data.record import Record
from kfer.errors import UserError
from tests.data import prepared

CLASS = record.categorical("class", ("cat", "dog", "fox"))
VALUES = record.valence_arousal()
CAT_DOG = record.categorical("class", ("cat", "dog"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return prepared.write(tmp_path_factory.mktemp("labels") / "set", 8, 4)


def task(**fields):
    settings = {"name": "annotator_1", "kind": "categorical", "target": "class"}
    return tasks.LabelTask(**{**settings, "classes": prepared.CLASSES, **fields})


def test_a_column_may_be_a_clean_one():
    assert labels.feature_of(task()) == "label/annotator_1"
    assert labels.feature_of(task(column="majority")) == "label/majority"
    assert labels.feature_of(task(column="clean/class")) == "clean/class"


def test_training_columns_are_checked(small):
    found = labels.training_columns(
        small, [task(), task(column="clean/class")], "train"
    )
    assert found == {
        "label/annotator_1": prepared.COLUMNS["annotator_1"],
        "clean/class": prepared.CLEAN["class"],
    }
    with pytest.raises(
        UserError, match=r"needs the label column 'annotator_9'.*has an"
    ):
        labels.training_columns(small, [task(column="annotator_9")], "train")
    with pytest.raises(UserError, match=r"task 'annotator_1' expects \('b', 'a'\)"):
        labels.training_columns(small, [task(classes=("b", "a"))], "train")
    with pytest.raises(
        UserError, match=r"No example of test .* has a value of label/an"
    ):
        labels.training_columns(small, [task()], "test")


def test_target_columns_are_those_with_clean_labels(small):
    found = labels.target_columns(
        small, [task(), task(name="b"), tasks.valence_arousal_task()], "test"
    )
    assert found == {"class": prepared.CLEAN["class"]}
    with pytest.raises(UserError, match="no truth of valence_.* it has clean/class$"):
        labels.target_columns(small, [tasks.valence_arousal_task()], "test")
    with pytest.raises(
        UserError, match=r"it has .*label/ann.*, against='labels'\) com"
    ):
        labels.target_columns(small, [tasks.valence_arousal_task()], "train")


def test_parse_reads_features_and_refuses_other_classes():
    columns = {"label/class": CLASS, "label/valence_arousal": VALUES}
    rows = [
        Record("a", b"1", {"class": 2, "valence_arousal": (0.5, -1.0)}, {}),
        Record("b", b"2", {}, {}),
    ]
    got = labels.parse(tf.constant([record.encode(row) for row in rows]), columns)
    np.testing.assert_array_equal(got["label/class"], [2, -1])
    np.testing.assert_array_equal(
        got["label/valence_arousal"], [[0.5, -1.0], [math.nan, math.nan]]
    )
    bad = record.encode(Record("c", b"3", {"class": 3}, {}))
    for parse in (labels.parse, tf.function(labels.parse)):
        with pytest.raises(
            tf.errors.InvalidArgumentError,
            match=r"label/class has a class outside 0..2",
        ):
            parse(tf.constant([bad]), columns)


def test_missing_values_are_zero_and_masked():
    value, mask = labels.value_and_mask(tf.constant([2, -1, 0], tf.int64), CLASS)
    np.testing.assert_array_equal(value, [2, 0, 0])
    np.testing.assert_array_equal(mask, [1.0, 0.0, 1.0])
    assert (value.dtype, mask.dtype) == (tf.int32, tf.float32)


def test_a_vector_with_any_nan_is_missing_as_a_whole():
    nan = math.nan
    given = tf.constant([[0.5, -0.5], [nan, 0.3], [nan, nan]])
    value, mask = labels.value_and_mask(given, VALUES)
    np.testing.assert_array_equal(value, [[0.5, -0.5], [0, 0], [0, 0]])
    np.testing.assert_array_equal(mask, [1.0, 0.0, 0.0])


def test_continuous_labels_are_clipped_to_the_task_when_asked():
    narrow = dataclasses.replace(tasks.valence_arousal_task(), low=-0.25, high=0.75)
    features = {"label/valence_arousal": tf.constant([[-1.0, 0.5], [0.0, 1.0]])}
    columns = {"label/valence_arousal": VALUES}
    got, mask = labels.training_labels(features, [narrow], columns, clip=True)
    np.testing.assert_array_equal(got["valence_arousal"], [[-0.25, 0.5], [0.0, 0.75]])
    np.testing.assert_array_equal(mask["valence_arousal"], [1.0, 1.0])
    got, _ = labels.training_labels(features, [narrow], columns, clip=False)
    np.testing.assert_array_equal(got["valence_arousal"], [[-1.0, 0.5], [0.0, 1.0]])


def test_column_of_checks_the_name_and_the_order_of_classes():
    one = tasks.LabelTask("class", tasks.CATEGORICAL, ("dog", "cat"))
    with pytest.raises(UserError, match=r"needs the label column 'x'.*has class"):
        labels.column_of(one, {"class": CAT_DOG}, "x")
    with pytest.raises(UserError, match=r"has \('cat', 'dog'\).*expects \('dog'"):
        labels.column_of(one, {"class": CAT_DOG}, "class")
    same = tasks.LabelTask("class", tasks.CATEGORICAL, ("cat", "dog"))
    assert labels.column_of(same, {"class": CAT_DOG}, "class") is CAT_DOG
    votes = record.votes("votes", ("cat", "dog"), "class")
    assert labels.column_of(same, {"votes": votes}, "votes") is votes
    values = record.Column("votes", "continuous", dimensions=("cat", "dog"))
    with pytest.raises(UserError, match="holds continuous labels, task 'class' learns"):
        labels.column_of(same, {"votes": values}, "votes")
    task = tasks.LabelTask("v", "continuous", dimensions=("cat", "dog"))
    with pytest.raises(UserError, match="holds votes labels"):
        labels.column_of(task, {"votes": votes}, "votes")


VOTES = record.votes("votes", ("cat", "dog", "fox"), "class")


def test_votes_are_shares_that_sum_to_one():
    # Counts, shares, nobody's votes and a missing row.
    rows = [[2.0, 1.0, 1.0], [0.25, 0.0, 0.75], [0.0] * 3, [math.nan] * 3]
    value, mask = labels.value_and_mask(tf.constant(rows), VOTES)
    np.testing.assert_array_equal(
        value, [[0.5, 0.25, 0.25], [0.25, 0.0, 0.75], [0.0] * 3, [0.0] * 3]
    )
    np.testing.assert_array_equal(mask, [1.0, 1.0, 0.0, 0.0])


def test_answers_are_compared_with_the_class_of_most_votes():
    pictures = tf.constant([str(i) for i in range(402)])
    rows = np.tile([[2.0, 2.0, 1.0]], (402, 1)).astype(np.float32)
    rows[:2] = [[0, 1, 3], [0, 0, 0]]
    features = {"image/encoded": pictures, "label/votes": tf.constant(rows)}
    found, meanings = labels.majorities(features, {"label/votes": VOTES})
    assert meanings["label/votes"].is_categorical
    most = found["label/votes"].numpy()
    assert most[:2].tolist() == [2, -1]
    # Ties are drawn by the picture: both classes, evenly, the same whenever asked.
    assert set(most[2:]) == {0, 1} and 150 < (most[2:] == 0).sum() < 250
    again, _ = labels.majorities(
        {name: part[5:] for name, part in features.items()}, {"label/votes": VOTES}
    )
    np.testing.assert_array_equal(again["label/votes"], most[5:])
    plain = {"label/class": tf.constant([1, -1], tf.int64)}
    same, _ = labels.majorities(plain, {"label/class": CLASS})
    assert same["label/class"] is plain["label/class"]

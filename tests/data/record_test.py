import math

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import record
from kfer.data.record import Record
from kfer.errors import UserError

CLASS = record.categorical("class", ("cat", "dog"))
VALUES = record.valence_arousal()
FULL = Record(
    "a/ü",
    b"\x89PNG",
    {"class": 1, "valence_arousal": (0.25, -0.5)},
    {"class": 0},
    "list.txt:3",
    (1.0, 2.0, 3.5, 4.0),
    "landmarks",
)


def test_decode_inverts_encode():
    assert record.decode(record.encode(FULL)) == FULL


def test_missing_labels_stay_missing():
    bare = Record("b", b"", {}, {})
    assert record.decode(record.encode(bare)) == bare


def test_a_feature_without_values_is_a_missing_label():
    example = tf.train.Example.FromString(record.encode(FULL))
    del example.features.feature["label/class"].int64_list.value[:]
    assert record.decode(example.SerializeToString()).labels == {
        "valence_arousal": (0.25, -0.5)
    }


def test_encode_takes_numpy_integers_as_classes():
    got = record.decode(record.encode(Record("c", b"", {"class": np.int64(1)}, {})))
    assert got.labels == {"class": 1}


def test_encode_is_the_same_whatever_the_order_of_labels():
    turned = FULL._replace(labels=dict(reversed(FULL.labels.items())))
    assert record.encode(turned) == record.encode(FULL)


def test_parse_reads_missing_as_minus_one_and_nan():
    spec = record.parsing_spec({"label/class": CLASS, "label/valence_arousal": VALUES})
    serialized = [record.encode(FULL), record.encode(Record("b", b"x", {}, {}))]
    got = tf.io.parse_example(serialized, spec)
    np.testing.assert_array_equal(got["label/class"], [1, -1])
    np.testing.assert_array_equal(
        got["label/valence_arousal"], [[0.25, -0.5], [math.nan, math.nan]]
    )
    assert got["image/encoded"].numpy().tolist() == [b"\x89PNG", b"x"]


@pytest.mark.parametrize("value", [-1, 2, 0.5, math.nan, "0", None])
def test_a_class_must_be_a_whole_number_in_range(value):
    assert "is not in 0..1" in CLASS.problem(value)
    assert not CLASS.problem(1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((0.0,), "has 1 values, expected 2"),
        ((math.nan, 0.0), "is not finite"),
        ((0.0, 1.01), r"is outside [-1, 1]"),
    ],
)
def test_values_must_be_finite_and_in_range(value, text):
    assert text in VALUES.problem(value)
    assert not VALUES.problem((-1.0, 1.0))


def test_votes_are_counts_or_shares_of_people():
    column = record.votes("votes", ("cat", "dog"), "class")
    stored = Record("a", b"", {"votes": (3.0, 0.5)}, {})
    assert record.decode(record.encode(stored)) == stored
    assert [column.problem(v) for v in ((3.0, 0.5), (0.0, 0.0))] == ["", ""]
    assert column.problem((1.0, -1.0)) == "votes (1.0, -1.0) is below 0"
    assert "3 values, expected 2" in column.problem((1, 2, 3))
    assert "not finite" in column.problem((1.0, math.inf))
    assert record.Column(**column.as_dict()) == column


def test_kinds_of_columns_are_known():
    with pytest.raises(UserError, match="'x' has the kind 'ranks'; known"):
        record.Column("x", "ranks", classes=("a", "b"))
    with pytest.raises(UserError, match="'votes' of annotators"):
        record.Column("x", "votes", classes=("a", "b"), annotators=("ann",))


@pytest.mark.parametrize("data", [b"\xff\xff", b"", b"no record at all"])
def test_bytes_that_are_no_record(data):
    with pytest.raises(UserError, match="A record can't be read"):
        record.decode(data)

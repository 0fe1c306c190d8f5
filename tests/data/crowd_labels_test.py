"""Pairs: what is refused, and the way into a record and back."""

import dataclasses

import pytest

from kfer.data import crowd_labels, record
from kfer.data.record import Column, Record
from kfer.errors import UserError
from kfer.preprocess import rows
from tests.data import crowded
from tests.data.crowded import MOOD, POINT


@pytest.mark.parametrize(
    "column, value, message",
    [
        (MOOD, ((0, 1), (4, 2)), ""),
        (MOOD, 1, "mood is not a list of (annotator, label) pairs"),
        (MOOD, (), "mood is not a list of (annotator, label) pairs"),
        (MOOD, ((5, 1),), "mood has annotator 5, not in 0..4"),
        (MOOD, ((0, 1), (0, 2)), "mood has two labels of annotator 0"),
        (MOOD, ((0, 3),), "mood 3 is not in 0..2"),
        (POINT, ((0, (1.0, 2.0)),), ""),
        (POINT, ((0, (1.0, 9.5)),), "point (1.0, 9.5) is outside [0, 9]"),
        (POINT, ((0, (1.0,)),), "point has 1 values, expected 2"),
    ],
)
def test_what_a_crowd_column_takes(column, value, message):
    assert column.problem(value) == message


def test_two_people_of_one_name_are_refused():
    with pytest.raises(UserError, match="Two annotators of column 'mood'"):
        dataclasses.replace(MOOD, annotators=("a", "b", "a"))


@pytest.mark.parametrize(
    "labels", [{"mood": ((0, 1), (4, 2))}, {"point": crowded.POINTS[0]}]
)
def test_a_record_comes_back_and_its_bytes_do_not_know_the_order(labels):
    one = Record("a", b"picture", labels, {"truth": 1})
    assert record.decode(record.encode(one)) == one
    turned = {name: tuple(reversed(value)) for name, value in labels.items()}
    assert record.encode(one._replace(labels=turned)) == record.encode(one)


def test_features_by_hand():
    found = crowd_labels.to_features("point", ((3, (1.0, 2.0)), (1, (3.0, 4.0))))
    assert found == {
        "crowd/point/annotator": [1, 3],
        "crowd/point/label": [3.0, 4.0, 1.0, 2.0],
    }


def test_dataset_json_says_what_it_said_where_there_is_no_crowd():
    plain = Column("a", "categorical", ("x", "y"))
    assert list(plain.as_dict()) == [
        "name",
        "kind",
        "classes",
        "dimensions",
        "low",
        "high",
    ]
    assert Column(**MOOD.as_dict()) == MOOD


def test_a_chunk_of_the_job_keeps_them():
    example = record.RawExample(
        "a",
        "train",
        "a.png",
        {"mood": crowded.MOODS[0], "point": crowded.POINTS[0]},
        {},
        "",
    )
    row = rows.Row(example, None)
    assert rows.from_json(rows.to_json(row)) == row

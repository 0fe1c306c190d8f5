"""Ratings inside their picture's object."""

import pytest

from kfer.data.importing import sources
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError
from tests.data.importing.lists_test import load


def ratings(*pairs):
    return [{"rater": who, "label": label, "va": [0.5, 0]} for who, label in pairs]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_a_row_each(tmp_path, kind):
    rows = [
        {"ratings": ratings(("ann", "calm"), ("bob", "tense")), "subject": "s"},
        {"ratings": ratings(("ann", "tense")), "subject": "s"},
        {"ratings": [], "subject": "s"},
    ]
    found, _, read = load(tmp_path, rows, kind)
    assert found.is_long
    assert read[0].labels == {
        "annotator_ann_label": 0,
        "annotator_bob_label": 1,
        "annotator_ann_valence_arousal": (0.5, 0.0),
        "annotator_bob_valence_arousal": (0.5, 0.0),
    }
    assert read[1].labels["annotator_ann_label"] == 1
    assert read[2].labels == {}  # a picture that nobody has rated
    line = {"jsonl": 2, "json": 2, "parquet": 3}[kind]
    assert found.table.lines[2] == line


def test_what_is_no_object_is_set_aside(tmp_path):
    rows = [{"ratings": [*ratings(("ann", "calm"), ("bob", "tense")), 3]}]
    *_, read = load(tmp_path, rows)
    assert [type(row).__name__ for row in read] == ["Rejected", "RawExample"]
    assert read[0].detail == "'ratings': '3' is no object"


@pytest.mark.parametrize(
    "row, message",
    [
        ({"a": ratings(("x", "y")), "b": ratings(("x", "y"))}, "a and b are lists of"),
        (
            {"a": ratings(("x", "y")), "label": "y"},
            "has 'label' as a column and in 'a'",
        ),
    ],
)
def test_what_could_mean_two_things_is_refused(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        load(tmp_path, [row])


def test_keys_of_ratings_that_space_alone_parts_are_refused(tmp_path):
    text = '{"image": "1.png", "ratings": [{"rater": "a", "label": "x", "label ": 1}]}'
    (tmp_path / "t.jsonl").write_text(text + "\n")
    with pytest.raises(UserError, match="has the column 'label' twice"):
        sources.load(str(tmp_path), TableOptions(path=str(tmp_path / "t.jsonl")))

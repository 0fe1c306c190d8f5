"""Annotation files from any editor."""

import math

import pytest

from kfer.data import tables
from kfer.errors import UserError


@pytest.mark.parametrize(
    "data",
    [
        b"a,1\nb,2\n",
        b"a,1\nb,2",
        b"\xef\xbb\xbfa,1\r\nb,2\r\n",
        b"a,1\n\n  \nb,2\n",
    ],
)
def test_marks_line_ends_and_blank_lines_change_nothing(tmp_path, data):
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    found = list(tables.rows(str(path), str(tmp_path)))
    assert [fields for _, fields in found] == [["a", "1"], ["b", "2"]]
    assert found[0][0] == "t.csv:1"
    assert found[1][0] == ("t.csv:4" if b"\n\n" in data else "t.csv:2")


def test_a_stray_quote_spoils_its_own_row_alone(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'a,1\n"b,2\nc,"3,4"\n')
    fields = [row for _, row in tables.rows(str(path))]
    assert fields == [["a", "1"], ["b,2"], ["c", "3,4"]]


def test_bytes_that_are_no_text_are_seen_not_lost(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\xff,1\n")
    assert next(tables.rows(str(path)))[1] == ["a\ufffd", "1"]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match=r"t\.csv can't be read: No such file"):
        list(tables.rows(str(tmp_path / "t.csv")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7", 7), (" 7 ", 7), ("7.0", 7), ("-1", -1), ("7.5", None), ("x", None)]
    + [(text, None) for text in ("nan", "inf", "", "²")],
)
def test_whole_number(text, expected):
    assert tables.whole_number(text) == expected


def test_number():
    assert tables.number("-0.5") == -0.5
    assert math.isnan(tables.number("high"))


def test_image_words_depend_on_seed_image_and_purpose_alone():
    words = tables.image_words(1, "a", "x")
    assert len(words) == 16 and max(words) < 2**32
    assert words == tables.image_words(1, "a", "x")
    others = [(2, "a", "x"), (1, "b", "x"), (1, "a", "y")]
    assert len({words, *(tables.image_words(*other) for other in others)}) == 4


def test_place_is_uniform_and_follows_from_the_name_alone():
    places = [tables.place(str(i), "split") for i in range(2000)]
    assert 0.47 < sum(places) / 2000 < 0.53
    assert 0.08 < sum(p < 0.1 for p in places) / 2000 < 0.12
    assert places[7] == tables.place("7", "split") != tables.place("7", "other")

"""The reader of any folder with a manifest."""

import json

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, manifest
from kfer.data.fake_roots.files import write_text
from kfer.data.record import Rejected
from kfer.errors import UserError
from kfer.tasks import EXPRESSIONS

OPTIONS = ReaderOptions()


def read(tmp_path, text, name="manifest.csv", options=OPTIONS):
    write_text(str(tmp_path), name, text)
    return list(manifest.read(str(tmp_path), options))


def test_every_column(tmp_path):
    header = (
        "id,image,split,expression,valence,arousal,annotator:ann,annotator:bob,"
        "left_eye_x,left_eye_y,right_eye_x,right_eye_y,box,clean:expression"
    )
    row = "one,a/b.png,val,Happiness,0.5,-0.25,Sadness,6,10,20,30,22,1;2;30;40,fear"
    (example,) = read(tmp_path, f"{header}\n{row}\n")
    assert example.image_id == "one" and example.image == "a/b.png"
    assert example.split == "valid" and example.source == "manifest.csv:2"
    assert example.labels == {
        "expression": EXPRESSIONS.index("happy"),
        "valence_arousal": (0.5, -0.25),
        "annotator_ann": EXPRESSIONS.index("sad"),
        "annotator_bob": EXPRESSIONS.index("anger"),
    }
    assert example.clean == {"expression": EXPRESSIONS.index("fear")}
    assert example.eyes == ((10.0, 20.0), (30.0, 22.0))
    assert example.box == (1.0, 2.0, 30.0, 40.0)
    columns = manifest.columns_in(str(tmp_path), OPTIONS)
    assert set(columns) == {
        "expression",
        "valence_arousal",
        "annotator_ann",
        "annotator_bob",
    }


def test_missing_cells_are_missing(tmp_path):
    text = (
        "image,expression,valence,arousal,annotator:1\na.png,,0.5,,\nb.png,1,,,none\n"
    )
    a, b = read(tmp_path, text)
    assert a.labels == {} and a.split == "train" and a.image_id == "a.png"
    assert a.dropped == ("valence or arousal alone",) and b.dropped == ()
    assert b.labels == {"expression": 1} == b.clean


def test_numbers_of_another_order(tmp_path):
    (example,) = read(tmp_path, "image,expression:raf\na.png,1\n")
    assert EXPRESSIONS[example.labels["expression"]] == "surprise"


def test_json_lines(tmp_path):
    row = {
        "image": "a.png",
        "expression": 3,
        "valence": None,
        "annotator:x": "fear",
        "box": [1, 2, 3, 4],
        "landmarks": [[5, 6]] * 68,
    }
    (example,) = read(tmp_path, json.dumps(row) + "\n", "manifest.jsonl")
    assert example.labels == {"expression": 3, "annotator_x": 4}
    assert example.box == (1.0, 2.0, 3.0, 4.0) and example.eyes == ((5, 6), (5, 6))


def test_both_kinds_of_fake_root_hold_the_same(tmp_path):
    found = {}
    for layout in ("csv", "jsonl"):
        root = str(tmp_path / layout)
        manifest.make_fake_root(root, 12, np.random.default_rng(0), layout=layout)
        found[layout] = [
            item._replace(source="") for item in manifest.read(root, OPTIONS)
        ]
    assert found["csv"] == found["jsonl"] and len(found["csv"]) == 12
    assert "annotator_2" not in found["csv"][1].labels


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.png,train,furious,0,0,1;2;3;4", "label out of range"),
        ("a.png,train,9,0,0,1;2;3;4", "label out of range"),
        ("a.png,train,1,2,0,1;2;3;4", "label out of range"),
        ("a.png,train,contempt,0,0,1;2;3;4", "class not asked for: contempt"),
        ("a.png,train,No-Face,0,0,1;2;3;4", "no expression: no_face"),
        ("a.png,monday,1,0,0,1;2;3;4", "unknown split"),
        ("a.png,train,1,0,0,1;2;3", "bad box"),
        ("a.png,train,1,0,0,1;2;0;4", "bad box"),
        (",train,1,0,0,1;2;3;4", "no image named"),
        ("a.png,train,1", "wrong column count"),
        ("a.png,train,1,0,0,1;2;3;4,5", "wrong column count"),
    ],
)
def test_bad_rows_are_set_aside_with_their_line(tmp_path, row, reason):
    header = "image,split,expression,valence,arousal,box"
    good = "b.png,train,1,0,0,1;2;3;4"
    found, other = read(tmp_path, f"\ufeff{header}\r\n{row}\r\n{good}\r\n")
    assert isinstance(found, Rejected)
    assert (found.reason, found.source) == (reason, "manifest.csv:2")
    assert other.image_id == "b.png"


def test_values_off_the_scale_say_how_to_read_another(tmp_path):
    text = "image,valence,arousal\na.png,8,6\nb.png,high,1\n"
    found, other = read(tmp_path, text)
    assert found.detail == (
        "valence_arousal (8.0, 6.0) is outside [-1, 1]; --scale reads other scales"
    )
    assert "scale" not in other.detail


@pytest.mark.parametrize("line", ["{", "[1]", "3", '{"image": "a.png"} x'])
def test_bad_json_is_set_aside(tmp_path, line):
    good = '{"image": "b.png"}'
    found, other = read(tmp_path, f"{line}\n{good}\n", "manifest.jsonl")
    assert found.reason == "bad annotation" and other.image_id == "b.png"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("image,emotion", r"unknown \['emotion'\]"),
        ("image,expression:rafdb", "unknown"),
        ("image,split,split", r"twice \['split'\]"),
        ("expression,split", "'image' is missing"),
    ],
)
def test_headers_are_checked(tmp_path, header, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, f"{header}\n")


def test_two_manifests_are_refused(tmp_path):
    write_text(str(tmp_path), "manifest.jsonl", "{}")
    with pytest.raises(UserError, match=r"has manifest\.csv and manifest\.jsonl"):
        read(tmp_path, "image\n")

"""Lists of shares, votes and names in JSON, Parquet and text, down to label sets."""

import json

import pandas as pd
import pytest

from kfer.data.importing import examples, sources
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError

CLASSES = {"label": ("tense", "calm", "bored")}


def load(tmp_path, rows, kind="jsonl", **options):
    """Examples of rows that are dicts; a.png, b.png, ... are their pictures."""
    rows = [{"image": f"{chr(97 + i)}.png"} | row for i, row in enumerate(rows)]
    for row in rows:
        (tmp_path / row["image"]).write_bytes(b"")
    path = tmp_path / f"t.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif kind == "json":
        path.write_text(json.dumps(rows))
    elif kind == "parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        pd.DataFrame(rows).to_csv(path, index=False)
    chosen = TableOptions(path=str(path), **options)
    found, made = sources.load(str(tmp_path), chosen)
    return found, made, list(examples.read(found, chosen, made))


def shares(rows):
    return [row.labels.get("votes") for row in rows]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "csv"])
def test_shares_in_the_order_of_the_classes(tmp_path, kind):
    given = [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.375, 0.5]]
    rows = [{"label": value} for value in given]
    found, made, read = load(tmp_path, rows, kind, classes=CLASSES)
    assert found.votes.kind == "shares"
    assert made.columns["votes"].classes == ("tense", "calm", "bored")
    assert shares(read) == [tuple(value) for value in given]
    assert read[1].labels["annotator_2"] == 1


def test_a_numpy_row_in_text_and_numbered_classes(tmp_path):
    rows = [{"votes": "[2 1]"}, {"votes": "[0 3]"}, {"votes": ""}]
    classes = {"votes": ("1:calm", "0:tense")}
    _, made, read = load(tmp_path, rows, "csv", classes=classes)
    assert made.columns["votes"].classes == ("tense", "calm")
    assert shares(read) == [(2, 1), (0, 3), None]


def test_an_order_of_expressions(tmp_path):
    given = [0.5, 0, 0, 0.25, 0, 0, 0.25]  # surprise .. happy .. neutral
    for rows, options in (
        ([{"expression": given}], {"order": "raf"}),
        ([{"expression:raf": given}], {}),
    ):
        _, _, read = load(tmp_path, rows, **options)
        assert shares(read) == [(0.25, 0.25, 0, 0.5, 0, 0, 0)]


def test_lists_of_names_are_votes(tmp_path):
    rows = [
        {"label": ["Calm", "calm", "tense"]},
        {"label": ["tense", None]},
        {"label": []},
        {"label": None},
        {"label": ["joy", "bored"]},
    ]
    found, made, read = load(tmp_path, rows, synonyms={"joy": "calm"})
    assert made.columns["votes"].classes == ("bored", "calm", "tense")
    assert found.votes.kind == "vote counts"
    assert shares(read) == [(0, 2, 1), (0, 0, 1), None, None, (1, 1, 0)]
    # in any order that is asked for, and nothing else
    _, _, read = load(tmp_path, rows, classes=CLASSES)
    assert shares(read[:2]) == [(1, 2, 0), (1, 0, 0)]
    assert read[4].reason == "bad annotation"
    assert read[4].detail == "'label': 'joy' is no class; known: tense, calm, bored"


def test_names_of_expressions_are_expressions(tmp_path):
    rows = [{"votes": ["Happiness", "sad", "no face"]}, {"votes": ["fear", "sad"]}]
    found, made, read = load(tmp_path, rows)
    assert made.columns["votes"].target == "expression"
    assert shares(read)[0] == (0, 1, 1, 0, 0, 0, 0)
    assert found.votes.dropped.tolist() == [1, 0]


def test_a_truth_of_its_own_name(tmp_path):
    rows = [{"mood": {"calm": 0.25, "tense": 0.75}}, {"mood": {"calm": 1, "tense": 0}}]
    _, made, read = load(tmp_path, rows, labels=["mood"])
    assert made.columns["annotator_1"].target == "mood"
    assert shares(read)[0] == (0.25, 0.75)
    _, made, read = load(tmp_path, rows, classes={"mood": ("tense", "calm")})
    assert shares(read)[0] == (0.75, 0.25)
    with pytest.raises(UserError, match="'mood' has calm, tense, and the classes name"):
        load(tmp_path, rows, classes={"mood": ("tense", "cool")})
    as_lists = [{"mood": [0.25, 0.75]}, {"mood": [1, 0]}]
    _, made, _ = load(tmp_path, as_lists, classes={"mood": ("tense", "calm")})
    assert made.columns["annotator_1"].target == "mood"


def test_a_row_without_a_list_says_nothing(tmp_path):
    rows = [{"label": [0.5, 0.25, 0.25]}, {"label": None}, {"label": []}]
    *_, read = load(tmp_path, rows, classes=CLASSES)
    assert shares(read) == [(0.5, 0.25, 0.25), None, None]
    *_, read = load(tmp_path, [{"va": [0.5, -0.25]}, {"va": None}, {"va": []}])
    given = {"valence_arousal": (0.5, -0.25)}
    assert [row.labels for row in read] == [given, {}, {}]


def test_lists_of_another_length_are_set_aside(tmp_path):
    rows = [{"label": [0.5, 0.25, 0.25]}] * 3 + [{"label": [1]}, {"label": "calm"}]
    *_, read = load(tmp_path, rows, classes=CLASSES)
    assert [row.detail for row in read[3:]] == [
        "'label': 1 numbers, expected 3",
        "'label': 'calm' is no list",
    ]


@pytest.mark.parametrize(
    "rows, options, message",
    [
        (
            [{"label": [0.5, 0.5]}],
            {},
            r"'label' has lists of 2 numbers \(line 1: 0.5;0.5\), and the order isn't "
            r"known; say --classes=label=NAME,\.\.\. with 2 names",
        ),
        ([{"label": [0.5, 0.5]}], {"classes": CLASSES}, "and 3 classes are given"),
        (
            [{"label": ["a", "b"], "votes": ["a"]}],
            {},
            "label and votes are lists of votes or shares; kfer takes those of one",
        ),
        ([{"label": ["a"]}], {}, "lists of 1 different names; classes are 2 to"),
        (
            [{"annotator:ann": [0.5, 0.5], "label": "x"}],
            {},
            r"'annotator:ann' has lists; an annotator gives .* --ignore=annotator:ann",
        ),
        (
            [{"label": [1, 0], "label:a": 3}],
            {"classes": {"label": ("a", "b")}},
            "has 'label' as lists and the column 'label:a'",
        ),
    ],
)
def test_what_could_mean_two_things_is_refused(tmp_path, rows, options, message):
    with pytest.raises(UserError, match=message):
        load(tmp_path, rows, **options)


def test_other_lists_are_left_out_with_a_line(tmp_path):
    rows = [{"label": c, "scores": [1, 2]} for c in ("calm", "tense")]
    found, *_ = load(tmp_path, rows)
    assert found.roles.ignored == {
        "scores": "lists; --labels=scores reads them as shares or votes of classes"
    }
    with pytest.raises(UserError, match="--classes=scores=NAME,"):
        load(tmp_path, [{"scores": [1, 2]}], labels=["scores"])


def test_eyes_and_boxes_stay_lists(tmp_path):
    rows = [{"label": c, "box": [1, 2, 30, 40]} for c in ("calm", "tense")]
    *_, read = load(tmp_path, rows)
    assert read[0].box == (1, 2, 30, 40)


def test_a_long_table_takes_one_hot_lists(tmp_path):
    rows = [
        {"image": image, "annotator": who, "label": value}
        for image, who, value in (
            ("a.png", "ann", [0, 1]),
            ("a.png", "bob", [1, 0]),
            ("b.png", "ann", [1, 0]),
        )
    ]
    *_, read = load(tmp_path, rows, classes={"label": ("tense", "calm")})
    assert [row.labels for row in read] == [
        {"annotator_ann": 1, "annotator_bob": 0},
        {"annotator_ann": 0},
    ]
    rows[0]["label"] = [0.5, 0.5]
    with pytest.raises(UserError, match="several rows a picture"):
        load(tmp_path, rows, classes={"label": ("tense", "calm")})


def test_points_are_values(tmp_path):
    rows = [
        {"valence_arousal": [0.5, -0.25], "annotator:ann:va": [1, 0]},
        {"valence_arousal": None, "annotator:ann:va": [0.5]},
    ]
    *_, read = load(tmp_path, rows)
    assert read[0].labels == {
        "valence_arousal": (0.5, -0.25),
        "annotator_ann_valence_arousal": (1.0, 0.0),
    }
    assert read[1].detail == "'annotator:ann:va': 1 numbers, expected 2"

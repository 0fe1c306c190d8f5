"""kfer.data.from_arrays: what is written is what was given."""

import os

import numpy as np
import pytest

import kfer
from kfer.data import rewrite
from kfer.errors import UserError
from kfer.python import arrays

SPLIT = ["train"] * 4 + ["test"] * 2


def pictures(count=6):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 16, 20, 3), np.uint8)


def made(*args, **kwargs):
    fixed = {"image_size": 16, "verbose": False, "split": SPLIT}
    return kfer.data.from_arrays(*args, **fixed | kwargs)


def content(data, split):
    """image id -> (labels, truth)."""
    return {r.image_id: (r.labels, r.clean) for r in rewrite.records(data, split)}


def test_columns_of_classes_and_values():
    mood = np.array(
        [
            ["calm", ""],
            ["tense", "calm"],
            [None, None],
            ["calm", "tense"],
            ["", ""],
            ["tense", ""],
        ],
        object,
    )
    strength = np.full((6, 2), np.nan)
    strength[1] = 2.5, 9.0
    data = made(
        pictures(),
        {"mood": mood, "strength": strength},
        ["ann", "bob"],
        truth={"mood": [-1, 0, -1, -1, 1, 0]},
        classes={"mood": ["calm", "tense"]},
        scales={"strength": (1, 9)},
    )
    columns = data.columns
    assert columns["annotator_ann_mood"].classes == ("calm", "tense")
    assert columns["annotator_bob_strength"].target == "strength"
    assert (
        columns["annotator_bob_strength"].low,
        columns["annotator_bob_strength"].high,
    ) == (1, 9)
    train, test = content(data, "train"), content(data, "test")
    assert train["0.png"] == ({"annotator_ann_mood": 0}, {})
    labels, truth = train["1.png"]
    assert truth == {"mood": 0}
    assert labels == {
        "annotator_ann_mood": 1,
        "annotator_bob_mood": 0,
        "annotator_ann_strength": (2.5,),
        "annotator_bob_strength": (9.0,),
    }
    # nobody labelled it, and it is there
    assert train["2.png"] == ({}, {})
    assert train["3.png"][0] == {"annotator_ann_mood": 0, "annotator_bob_mood": 1}
    assert test["4.png"] == ({}, {"mood": 1})
    assert test["5.png"] == ({"annotator_ann_mood": 1}, {"mood": 0})


def test_ratings_of_a_crowd():
    people = [f"p{i:02}" for i in range(12)]
    items = [0, 0, *range(5), *range(5)]
    labels = [0, 2, 1, 1, 0, 2, -1, 0, 0, 1, 1, 2]
    data = made(pictures(), labels, people, items=items)
    column = data.columns["label"]
    assert column.classes == ("class 0", "class 1", "class 2")
    # p06 gave no label, so they are no annotator
    assert column.annotators == tuple(p for p in people if p != "p06")
    train = content(data, "train")
    assert train["0.png"][0] == {"label": ((0, 0), (1, 2), (2, 1), (6, 0))}
    assert train["2.png"][0] == {"label": ((4, 0), (8, 1))}


def test_labels_without_annotators_are_the_truth():
    data = made(list(pictures()), np.arange(6) % 2, classes=["no", "yes"])
    assert list(data.clean_columns) == ["label"]
    assert content(data, "test") == {
        "4.png": ({"label": 0}, {"label": 0}),
        "5.png": ({"label": 1}, {"label": 1}),
    }


def test_whole_numbers_on_a_scale_are_values():
    valence = np.array([[-1, 1], [0, -1], [1, 0], [-1, -1], [0, 0], [1, 1]])
    data = made(pictures(), {"valence": valence, "arousal": -valence}, ["ann", "bob"])
    assert content(data, "train")["1.png"][0] == {
        "annotator_ann_valence_arousal": (0.0, 0.0),
        "annotator_bob_valence_arousal": (-1.0, 1.0),
    }
    data = made(
        pictures(),
        {"warmth": [[1, 9], [5, -1], [2, 3], [4, 5], [6, 7], [8, 9]]},
        ["ann", "bob"],
        scales={"warmth": (1, 9)},
    )
    column = data.columns["annotator_bob_warmth"]
    assert (column.is_categorical, column.low, column.high) == (False, 1, 9)
    train = content(data, "train")
    assert train["0.png"][0] == {
        "annotator_ann_warmth": (1.0,),
        "annotator_bob_warmth": (9.0,),
    }
    assert train["1.png"][0] == {"annotator_ann_warmth": (5.0,)}


@pytest.mark.parametrize(
    "what", ["images", "annotators", "items", "split", "subjects", "labels", "truth"]
)
def test_a_set_has_no_order(what):
    given = {"images": pictures(), "labels": np.zeros((6, 2), int)}
    with pytest.raises(UserError, match=" is a set, which has no order; give a list$"):
        made(**given | {what: {"a", "b"}})


def test_files_are_read_where_they_are(tmp_path):
    import cv2

    paths = []
    for i, pixels in enumerate(pictures()):
        paths.append(tmp_path / f"{i % 2}" / f"{i}.png")
        os.makedirs(paths[-1].parent, exist_ok=True)
        cv2.imwrite(str(paths[-1]), pixels[..., ::-1])
    labels = np.array([[0], [1], [0], [1], [0], [1]])
    by_path, in_memory = made(paths, labels), made(pictures(), labels)
    one, two = (
        sorted(
            (r.image, *r.labels.values())
            for s in ("train", "test")
            for r in rewrite.records(d, s)
        )
        for d in (by_path, in_memory)
    )
    assert one == two and set(content(by_path, "test")) == {"0/4.png", "1/5.png"}


@pytest.mark.parametrize(
    "labels, options, text",
    [
        (np.zeros((5, 2), int), {}, "labels: 5 were given for 6"),
        (
            np.zeros((6, 2), int),
            {"annotators": ["a"]},
            "annotators: 1 were given for 2",
        ),
        (
            np.zeros((6, 2), int),
            {"annotators": ["a", "a"]},
            "Two annotators have one na",
        ),
        (
            np.full((6, 2), 3),
            {"classes": ["a", "b"]},
            "label has the number 3; classes",
        ),
        (np.full((6, 2), -2), {}, "label has the number -2"),
        (np.zeros((6, 2)), {}, "label has numbers with decimals; say its lowest"),
        (
            np.full((6, 2), 0.5),
            {"classes": ["a", "b"]},
            "label has 0.5, which is no cl",
        ),
        (np.full((6, 2), "c"), {"classes": ["a", "b"]}, "label has 'c', which is none"),
        ({"rater_x": np.zeros((6, 2), int)}, {}, "can't be called 'rater_x'"),
        ({"happy": np.zeros((6, 2), int)}, {}, "can't be called 'happy'"),
        ({"a": np.zeros((6, 2), int), "b": np.zeros(6, int)}, {}, "all kinds alike"),
        (
            [0, 1],
            {"items": [0, 6], "annotators": "ab"},
            "items go from 0 to 6, of 6 pi",
        ),
        (np.zeros((6, 2), int), {"truth": [0]}, "truth: 1 were given for 6"),
        (np.zeros((6, 2), int), {"split": ["train"]}, "split: 1 were given for 6"),
    ],
)
def test_what_does_not_go_together(labels, options, text):
    with pytest.raises(UserError, match=text):
        made(pictures(), labels, **options)


def test_only_pictures_are_pictures():
    with pytest.raises(
        UserError, match=r"Picture 1 is float32 \[16, 20, 3\]; pictures"
    ):
        made([*pictures(1), *pictures(5).astype(np.float32)], np.zeros((6, 1), int))
    grey = arrays.picture(np.array([[1, 2]], np.uint8), 0)
    assert grey.tolist() == [[[1, 1, 1], [2, 2, 2]]]

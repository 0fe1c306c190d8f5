"""What labels in memory mean."""

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.python import kinds
from kfer.python.kinds import Kinds

NAN = np.nan


def only(labels, **options):
    """(classes, coded, scale) of one kind."""
    given = {"truth": None, "classes": (), "scales": None} | options
    found = Kinds(labels, **given)
    return found.classes.get("label", ()), found.labels["label"].tolist(), found.scales


def test_classes():
    assert only([1, -1, 0]) == (("class 0", "class 1"), [1, -1, 0], {})
    assert only([True, False]) == (("class 0", "class 1"), [1, 0], {})
    assert only(["b", "", "a"]) == (("a", "b"), [1, -1, 0], {})
    words = np.array(["b", None, NAN, "a"], object)
    assert only(words, classes=["b", "a"]) == (("b", "a"), [0, -1, -1, 1], {})
    # a table makes floats of whole numbers that have gaps
    assert only([1.0, NAN], classes=["b", "a"]) == (("b", "a"), [1, -1], {})


def test_values():
    classes, coded, scales = only([1.5, NAN], scales=(1, 9))
    assert (classes, coded[0], scales) == ((), 1.5, {"label": (1, 9)})
    assert np.isnan(coded[1])
    both = Kinds({"valence": [0.5]}, {"mood": ["a"]}, {"mood": ["a", "b"]}, None)
    assert both.scales == {} and both.truth["mood"].tolist() == [0]


def test_words_and_numbers_of_one_kind():
    found = Kinds({"mood": ["b", "a"]}, {"mood": [-1, 1]}, {"mood": ["a", "b"]}, None)
    assert found.labels["mood"].tolist() == [1, 0]
    assert found.truth["mood"].tolist() == [-1, 1]


@pytest.mark.parametrize(
    "labels, classes, coded",
    [
        ([["calm", NAN], [None, "tense"]], ("calm", "tense"), [[0, -1], [-1, 1]]),
        ([["calm", -1], ["", "tense"]], ("calm", "tense"), [[0, -1], [-1, 1]]),
        (np.array([["calm", -1, NAN, "tense"]]), ("calm", "tense"), [[0, -1, -1, 1]]),
        ([[0, -1], [1, None]], ("class 0", "class 1"), [[0, -1], [1, -1]]),
        ([[0, NAN], [1, ""]], ("class 0", "class 1"), [[0, -1], [1, -1]]),
        (["Calm ", "calm", "calm", "TENSE"], ("calm", "TENSE"), [0, 0, 0, 1]),
        (["10", "1", "2"], ("1", "2", "10"), [2, 0, 1]),
    ],
)
def test_labels_are_read_before_numpy_makes_text_of_them(labels, classes, coded):
    assert only(labels) == (classes, coded, {})
    assert Kinds(None, labels, (), None).truth["label"].tolist() == coded


def test_words_go_by_the_names_given_whatever_their_case():
    assert only(["Calm", "tense "], classes=["tense", "calm"])[1] == [1, 0]
    assert only(["-1", "0"], classes=["0", "-1"])[1] == [1, 0]
    with pytest.raises(UserError, match="^The classes of 'label' have 'calm' and 'Cal"):
        only(["calm"], classes=["calm", "Calm"])


@pytest.mark.parametrize(
    "labels", [[1, 9, None], [1.0, 9.0, ""], [1, 9, -1], np.array([1, 9, ""])]
)
@pytest.mark.parametrize("scales", [(1, 9), {"label": (1, 9)}])
def test_a_scale_says_values(labels, scales):
    classes, coded, found = only(labels, scales=scales)
    assert (classes, found) == ((), {"label": (1, 9)})
    assert np.array_equal(coded, [1, 9, NAN], equal_nan=True)


def test_valence_and_arousal_are_values():
    given = {"valence": np.array([[-1, 0], [1, -1]]), "arousal": [[0.5, None], [-1, 1]]}
    found = Kinds(given, {"valence": [1, None]}, (), None)
    assert (found.classes, found.scales) == ({}, {})
    assert found.labels["valence"].tolist() == [[-1, 0], [1, -1]]
    assert found.labels["valence"].dtype == np.float64
    assert np.array_equal(
        found.labels["arousal"], [[0.5, NAN], [-1, 1]], equal_nan=True
    )
    assert np.array_equal(found.truth["valence"], [1, NAN], equal_nan=True)


def test_one_scale_or_list_for_all_is_of_those_that_it_fits():
    given = {"mood": ["calm", "tense"], "warmth": [1, 9]}
    found = Kinds(given, None, (), (1, 9))
    assert (found.classes, found.scales) == (
        {"mood": ("calm", "tense")},
        {"warmth": (1, 9)},
    )
    found = Kinds(given, None, ("tense", "calm"), {"warmth": (1, 9)})
    assert found.classes == {"mood": ("tense", "calm")}
    assert found.labels["mood"].tolist() == [1, 0]


@pytest.mark.parametrize(
    "labels, classes, scales, text",
    [
        (["a", "b"], {"moood": ["a", "b"]}, None, "^classes has 'moood', which is no"),
        ([0.5], (), {"label": (0, 1), "x": (0, 1)}, "^scales has 'x', .* here: label$"),
        (
            ["a", "b"],
            (),
            (1, 9),
            r"^scales=\(1, 9\) is given, and no labels are values",
        ),
        ({"valence": [0.5]}, ["a", "b"], None, "is given, and no labels are classes$"),
        (["a"], (), {"label": (1, 9)}, "^label has values, and 'a' is no number$"),
        ({"valence": ["low"]}, (), None, "^valence has values, and 'low' is no number"),
        ({"valence": [0]}, {"valence": ["a", "b"]}, None, "are values by their name$"),
        (
            [0],
            {"label": ["a"]},
            {"label": (0, 1)},
            "^classes .* whose labels have a sc",
        ),
        ([0], ["a"], (0, 1), "^classes and scales are both given for all labels"),
        (["a", 1], (), None, r"^label has words \('a'\) and numbers \(1\); say which"),
        ([0], {"label": "a,b"}, None, "^classes of 'label' is a list of names, got 'a"),
        ([0], {"a", "b"}, None, "^classes is a set, which has no order; give a list$"),
        ([0.5], (), {"label": "0:1"}, "^scales of 'label' is the lowest and the highe"),
    ],
)
def test_what_does_not_go_together(labels, classes, scales, text):
    with pytest.raises(UserError, match=text):
        Kinds(labels, None, classes, scales)


@pytest.mark.parametrize(
    "name", ["rater_x", "happy", "image", "truth", "a b", "clean_x"]
)
def test_names_that_mean_something_else(name):
    with pytest.raises(UserError, match="A kind of labels can't be called"):
        Kinds({name: [0, 1]}, None, (), None)


def test_missing():
    assert kinds.is_missing(np.array([0, -1])).tolist() == [False, True]
    assert kinds.is_missing(np.array([0.0, NAN])).tolist() == [False, True]


def test_one_scale_is_of_the_kinds_with_decimals_where_there_are_any():
    mood, warmth = np.array([[0, 2], [1, 2]]), np.array([[0.5, -1.0], [0.25, 1.0]])
    found = Kinds({"mood": mood, "warmth": warmth}, None, None, (-1, 1))
    assert found.classes == {"mood": ("class 0", "class 1", "class 2")}
    assert found.scales == {"warmth": (-1, 1)}
    found = Kinds({"warmth": mood}, None, None, (0, 2))
    assert found.scales == {"warmth": (0, 2)}

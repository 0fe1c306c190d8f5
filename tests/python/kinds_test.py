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
    "name", ["rater_x", "happy", "image", "truth", "a b", "clean_x"]
)
def test_names_that_mean_something_else(name):
    with pytest.raises(UserError, match="A kind of labels can't be called"):
        Kinds({name: [0, 1]}, None, (), None)


def test_missing():
    assert kinds.is_missing(np.array([0, -1])).tolist() == [False, True]
    assert kinds.is_missing(np.array([0.0, NAN])).tolist() == [False, True]

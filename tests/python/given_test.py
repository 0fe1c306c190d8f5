"""What a user gives from Python."""

import pathlib

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.python import given


def test_names():
    assert given.names("classes", ["calm", 2]) == ("calm", "2")
    assert given.names("classes", np.array(["calm"])) == ("calm",)
    assert given.names("classes", {"calm": 1, "tense": 2}.keys()) == ("calm", "tense")


def test_scale():
    assert given.scale("scales", (1, 9)) == (1, 9)
    assert given.scale("scales", np.array([1, 9])) == (1, 9)


@pytest.mark.parametrize(
    "check, values, text",
    [
        (given.names, "calm", "^classes is a list of names, got 'calm'$"),
        (given.names, 3, "^classes is a list of names, got 3$"),
        (given.names, {1: "a"}, "^classes is a list of names, got {1: 'a'}$"),
        (given.names, {"a"}, "^classes is a set, which has no order; give a list$"),
        (given.scale, "1:9", r"^classes is the lowest .* as \(1, 9\), got '1:9'$"),
        (given.scale, (1, 5, 9), r"highest value, such as \(1, 9\), got \(1, 5, 9\)$"),
        (given.scale, ("1", "9"), r"got \('1', '9'\)$"),
        (given.scale, 9, "got 9$"),
        (given.scale, frozenset([1, 9]), "is a set, which has no order"),
    ],
)
def test_what_is_taken_for_another(check, values, text):
    with pytest.raises(UserError, match=text):
        check("classes", values)


def test_a_lone_text_is_one_name():
    assert given.one_or_more("tasks", "label") == ("label",)
    assert given.one_or_more("tasks", ["a", "b"]) == ("a", "b")


def test_pictures():
    assert given.pictures("a.png") == ["a.png"]
    path = pathlib.Path("a.png")
    assert given.pictures(path) == [path]
    for several in (
        ["a.png", "b.png"],
        np.array(["a.png", "b.png"]),
        np.zeros((2, 4, 5, 3), np.uint8),
        np.zeros((2, 4, 5), np.uint8),  # grey
        np.zeros((0, 3)),
        [],
    ):
        assert given.pictures(several) is several


@pytest.mark.parametrize("shape", [(4, 5, 3), (4, 5)])
def test_rows_of_one_picture_are_no_pictures(shape):
    text = rf"got one array \[{', '.join(map(str, shape))}\]; give a single picture as"
    with pytest.raises(UserError, match=text):
        given.pictures(np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match="^images is a set, which has no order"):
        given.pictures({"a.png"})

"""Which framing a data set is of."""

import pytest

from kfer.data import record
from kfer.errors import UserError
from kfer.preprocess import framed
from kfer.preprocess.transforms import Settings

FACES = [record.categorical("expression", ("sad", "happy"))]
THINGS = [record.categorical("class", ("cat", "dog"))]


@pytest.mark.parametrize(
    ("asked", "alignment", "detector", "expected"),
    [
        ("", "", False, "eyes"),
        ("", "box", False, "box"),
        ("landmarks", "", False, "eyes"),
        ("landmarks", "authors_2021", True, "authors_2021"),
        ("as_given", "", False, "none"),  # crops are kept as they came
        ("as_given", "", True, "box"),  # photographs are cut first
        ("none", "", True, "none"),
    ],
)
def test_a_framing_says_what_is_done(asked, alignment, detector, expected):
    assert framed.alignment_of(asked, alignment, detector) == expected


def test_flags_that_disagree_are_refused():
    with pytest.raises(UserError, match="as_given goes with --alignment=none or box"):
        framed.alignment_of("as_given", "eyes", False)


@pytest.mark.parametrize(
    ("alignment", "found", "columns", "kind", "detector"),
    [
        ("eyes", {"landmarks": 9, "centre": 1}, FACES, "landmarks", ""),
        ("eyes", {"detected": 6, "box": 4}, THINGS, "landmarks", "yuface"),
        ("eyes", {"detected": 4, "box": 6}, FACES, "as_given", "yuface"),
        ("eyes", {"as_given": 5}, FACES, "as_given", ""),
        ("box", {"detected": 5}, THINGS, "as_given", "yuface"),
        ("none", {"as_given": 5}, FACES, "as_given", ""),
        ("none", {"as_given": 5}, THINGS, "none", ""),
    ],
)
def test_what_was_done_says_the_framing(alignment, found, columns, kind, detector):
    settings = Settings("", alignment=alignment, detector="yuface")
    expected = {"kind": kind, "detector": detector}
    assert framed.note("", settings, found, columns) == expected


def test_what_was_asked_for_is_noted_unless_it_failed():
    settings = Settings("", alignment="none")
    note = framed.note("as_given", settings, {"as_given": 5}, THINGS)
    assert note == {"kind": "as_given", "detector": ""}
    eyes = Settings("")
    with pytest.raises(
        UserError, match=r"landmarks: 2 of 5 faces could be put upright"
    ):
        framed.note("landmarks", eyes, {"detected": 2, "centre": 3}, FACES)

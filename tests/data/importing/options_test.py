import json

import pytest

from kfer.data.importing import options
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"columns": {"photo": "x"}}, "No column is the 'photo'"),
        ({"order": "rafdb"}, "Unknown label order 'rafdb'"),
        ({"decimal": "x"}, "neither"),
        ({"scales": {"v": (9, 1)}}, "The scale of 'v' goes from 9 to 1"),
        ({"classes": {"v": ("a",)}}, "expected two names or more"),
        ({"splits": (0.5, 0.5)}, "leave nothing to train on"),
        ({"splits": (float("nan"), 0.1)}, r"splits \(nan, 0.1\) leave nothing"),
        ({"splits": (0.1,)}, "leave nothing to train on"),
        ({"labels": ("a",), "ignore": ("a",)}, "'a' is given to --labels and to --ig"),
        ({"votes": ("a",), "ignore": ("a",)}, "'a' is given to --votes and to --ign"),
        (
            {"annotators": ("b", "a"), "ignore": ("a",)},
            "'a' is given to --annotators and to --ignore; give it to one",
        ),
        (
            {"columns": {"annotator": "a"}, "ignore": ("a",)},
            "'a' is given to --column=annotator and to --ignore",
        ),
        ({"num_annotators": 0}, "below 1"),
        (
            {"scales": {"Warmth": (1, 9), "warmth": (1, 5)}},
            "scales has 'Warmth' and 'warmth', which are one name",
        ),
        ({"classes": {"a b": "xy", "a_b": "yx"}}, "classes of 'a b' is the text"),
        (
            {"classes": {"a b": ("x", "y"), "a_b": ("y", "x")}},
            "classes has 'a b' and 'a_b', which are one name",
        ),
        (
            {"synonyms": {"joy": "happy", "Joy ": "sad"}},
            "synonyms has 'joy' and 'Joy ', which are one name",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(fields, message):
    with pytest.raises(UserError, match=message):
        TableOptions(**fields)


def test_they_survive_json():
    made = TableOptions(
        scales={"v": (1, 9)}, classes={"": ("a", "b")}, labels=("x",), splits=(0, 0.5)
    )
    assert options.from_dict(json.loads(json.dumps(vars(made)))) == made
    assert options.from_dict(None) == TableOptions()


def test_missing_words_in_any_case():
    found = [options.is_missing(t, TableOptions()) for t in (" NaN", "NULL", "-1", "0")]
    assert found == [True, True, True, False]
    assert not options.is_missing("NA", TableOptions(missing=("", "x")))


def test_missing_words_are_as_cells_are_looked_up():
    chosen = TableOptions(missing=["Unclear ", "NaN", -9])
    assert chosen.missing == ("", "unclear", "nan", "-9")
    found = [options.is_missing(t, chosen) for t in ("UNCLEAR", "", "-9.0", "-1")]
    assert found == [True, True, True, False]
    assert TableOptions(missing=()).missing == ("",)


@pytest.mark.parametrize(
    "fields",
    [{"missing": "mood"}, {"labels": "mood"}, {"ignore": "mood"}],
)
def test_a_text_for_a_list_is_refused(fields):
    (name,) = fields
    with pytest.raises(UserError, match=rf"^{name} is the text 'mood'; give a list"):
        TableOptions(**fields)
    with pytest.raises(UserError, match="^classes of 'mood' is the text 'a,b'; give"):
        TableOptions(classes={"mood": "a,b"})

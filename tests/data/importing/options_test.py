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
        ({"num_annotators": 0}, "below 1"),
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

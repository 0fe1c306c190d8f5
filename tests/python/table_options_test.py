"""What from_table is told of a table."""

import json

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.python import table_options


def test_options_as_the_flags_have_them():
    given = {
        "labels": "mood",
        "annotators": ["ann", "bob"],
        "delimiter": "tab",
        "missing": ["Unsure "],
        "splits": [0.2, 0],
        "scales": {"valence": np.array([1, 9])},
        "classes": ["calm", "tense"],
        "columns": {"image": "photo"},
        "class_folder": 2,
    }
    found = table_options.read(given)
    assert found == {
        "labels": ("mood",),
        "annotators": ("ann", "bob"),
        "delimiter": "\t",
        "missing": ("", "unsure"),
        "splits": (0.2, 0),
        "scales": {"valence": (1, 9)},
        "classes": {"": ("calm", "tense")},
        "columns": {"image": "photo"},
        "class_folder": 2,
    }
    assert json.loads(json.dumps(found))["scales"] == {"valence": [1, 9]}
    assert table_options.read({"sheet": None, "class_folder": np.int64(3)}) == {
        "class_folder": 3
    }
    assert table_options.read({"missing": "none", "classes": {}}) == {
        "missing": ("", "none"),
        "classes": {},
    }


@pytest.mark.parametrize(
    "options, text",
    [
        ({"depth": 1}, "^from_table has no option 'depth'; known: annotators, class_f"),
        ({"scales": {"valence": "1:9"}}, r"^scales of 'valence' is .*, got '1:9'$"),
        ({"scales": {"valence": (1, 5, 9)}}, r"such as \(1, 9\), got \(1, 5, 9\)$"),
        ({"scales": (1, 9)}, r'^scales is a dict such as {"valence": \(1, 9\)}, got '),
        ({"splits": 0.1}, r"^splits is the share .* such as \(0.1, 0.1\), got 0.1$"),
        ({"splits": (0.1, 0.1, 0.1)}, r"got \(0.1, 0.1, 0.1\)$"),
        ({"classes": {"mood": "calm,tense"}}, "^classes of 'mood' is a list of names"),
        (
            {"classes": {"mood": {"calm", "tense"}}},
            "^classes of 'mood' is a set, which",
        ),
        ({"classes": "calm,tense"}, "^classes is a list of names, got 'calm,tense'$"),
        ({"labels": 3}, "^labels is a list of names, got 3$"),
        ({"synonyms": [("joy", "happy")]}, "^synonyms is a dict such as"),
        ({"columns": {"image": 3}}, "^columns of 'image' is a text, got 3$"),
        ({"order": 3}, "^order is a text, got 3$"),
        ({"num_annotators": 2.5}, "^num_annotators is a whole number, got 2.5$"),
        ({"decimal": "x"}, "^decimal 'x' is neither"),
    ],
)
def test_another_type_is_one_line(options, text):
    with pytest.raises(UserError, match=text) as refused:
        table_options.read(options)
    assert "\n" not in str(refused.value)

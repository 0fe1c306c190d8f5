import pandas as pd
import pytest

from kfer.data.importing import understand
from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import Table
from kfer.errors import UserError


def look(headers, more=None, **options):
    columns = {"image": ["a.png", "b.png"], **{name: ["2", "1"] for name in headers}}
    table = Table("t.csv", pd.DataFrame(columns | (more or {})), [2, 3], "text")
    return understand.understand(table, TableOptions(**options), lambda n: ".png" in n)


def test_the_order_of_votes_is_that_of_the_classes():
    votes = ("votes calm", "tense", "sunny")
    assert look(votes, votes=votes).votes.target.classes == ("calm", "tense", "sunny")
    listed = {"": ("0:Sunny", "1:tense", "2:calm")}
    found = look(votes, votes=votes, classes=listed)
    assert found.votes.target.classes == ("Sunny", "tense", "calm")
    mood = {"mood": ["x", "y"]}
    beside = look(votes, mood, votes=votes, labels=("mood",), classes={"": ("y", "x")})
    assert beside.votes.target.classes == ("calm", "tense", "sunny")
    assert beside.targets["mood"].classes == ("y", "x")


@pytest.mark.parametrize(
    ("headers", "options", "message"),
    [
        (
            ("calm", "tense"),
            {"votes": ("calm", "tense"), "classes": {"": ("calm", "sunny")}},
            "has votes for calm, tense, and --classes names calm, sunny; leave",
        ),
        (
            ("happy", "sad", "fear"),
            {"classes": {"": ("sad", "happy", "calm")}},
            "has votes for neutral, .*, and --classes names sad, happy, calm; leave",
        ),
    ],
)
def test_votes_for_other_classes_than_those_named_are_refused(
    headers, options, message
):
    with pytest.raises(UserError, match=message):
        look(headers, **options)


@pytest.mark.parametrize(
    ("headers", "options", "name"),
    [
        (("calm", "Calm"), {"votes": ("calm", "Calm")}, "calm"),
        (("calm", "tense"), {"votes": ("calm", "tense", "calm")}, "calm"),
        (("happy", "sad", "fear", "happiness"), {}, "happy"),
    ],
)
def test_two_columns_of_votes_for_one_class_are_refused(headers, options, name):
    message = rf"'{headers[0]}' and .* both count votes for '{name}'; leave one out"
    with pytest.raises(UserError, match=message):
        look(headers, **options)

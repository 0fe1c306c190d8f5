import pandas as pd
import pytest

from kfer import tasks
from kfer.data.importing import understand
from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import Table
from kfer.errors import UserError


def look(headers, more=None, **options):
    columns = {"image": ["a.png", "b.png"], **{name: ["2", "1"] for name in headers}}
    columns |= {headers[0]: ["5", "6"]} | (more or {})
    table = Table("t.csv", pd.DataFrame(columns), [2, 3], "text")
    return understand.understand(table, TableOptions(**options), lambda n: ".png" in n)


def has(found, name, classes, counts, codes):
    assert found.targets[name].classes == classes
    assert found.votes.target.classes == classes
    assert found.votes.counts.tolist() == counts
    (header,) = (h for part in found.sets for h in part.headers)
    assert found.coded[header].codes.tolist() == codes


@pytest.mark.parametrize("truth", ["truth", "label"])
@pytest.mark.parametrize(
    ("votes", "words", "classes"),
    [
        (("Calm", "Tense"), ["Tense", "Calm"], {}),
        (("calm", "tense"), ["Tense", "Calm"], {}),
        (("Calm", "Tense"), ["tense", "calm"], {}),
        (("tense", "very calm"), ["very calm", "tense"], {}),
        (("No", "Yes"), ["Yes", "No"], {"": ("No", "Yes")}),
        (("Yes", "No"), ["Yes", "No"], {"": ("Yes", "No")}),
        (("Yes", "No"), ["Yes", "No"], {"label": ("Yes", "No")}),
    ],
)
def test_capitals_and_spaces_make_no_other_class(truth, votes, words, classes):
    names = next(iter(classes.values()), (words[1], words[0]))
    found = look(votes, {truth: words}, votes=votes, classes=classes)
    codes = [names.index(word) for word in words]
    has(found, "label", names, [[5, 2], [6, 1]], codes)


def test_words_beside_votes_have_their_order():
    votes = ("tense", "bored", "calm")
    columns = {"label": ["calm", "tense"]}
    found = look(votes, columns, votes=votes)
    has(found, "label", votes, [[5, 2, 2], [6, 1, 1]], [2, 0])
    listed = {"": ("calm", "bored", "tense")}
    found = look(votes, columns, votes=votes, classes=listed)
    has(found, "label", listed[""], [[2, 2, 5], [1, 1, 6]], [0, 2])
    listed = {"": ("calm", "tense", "sunny", "bored")}
    found = look(votes, columns, votes=votes, classes=listed)
    has(found, "label", listed[""], [[2, 5, 0, 2], [1, 6, 0, 1]], [0, 1])


@pytest.mark.parametrize(
    ("more", "classes", "message"),
    [
        (["calm", "sunny"], {}, "with calm, sunny: name all with --classes, or leave"),
        (
            ["calm", "bored"],
            {"label": ("calm", "bored")},
            "with calm, bored: name all of these in --classes, or leave",
        ),
    ],
)
def test_labels_of_other_classes_are_refused(more, classes, message):
    votes = ("tense", "bored", "calm")
    with pytest.raises(UserError, match=message):
        look(votes, {"label": more}, votes=votes, classes=classes)


def test_values_beside_votes_are_refused():
    votes, scales = ("tense", "calm"), {"label": (1, 9)}
    with pytest.raises(UserError, match="a column of label with values: "):
        look(votes, {"label": ["1", "2"]}, votes=votes, scales=scales)


NAMES = ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")


@pytest.mark.parametrize("more", [{}, {"expression": ["sad", "anger"]}])
@pytest.mark.parametrize("name", ["", "label", "expression"])
def test_expressions_take_the_order_of_classes(more, name):
    if name == "label" and more:
        return
    found = look(NAMES, more, classes={name: NAMES})
    assert found.votes.target.classes == NAMES
    assert found.votes.counts[0].tolist() == [5, 2, 2, 2, 2, 2, 2]
    if more:
        has(found, "expression", NAMES, found.votes.counts.tolist(), [5, 0])


def test_expressions_without_a_column_have_no_votes():
    listed = {"": ("sad", "happy", "fear", "anger")}
    found = look(("happy", "sad", "fear", "unknown"), classes=listed)
    assert found.votes.counts.tolist() == [[2, 5, 2, 0], [1, 6, 1, 0]]
    faces = look(("happy", "sad", "fear", "contempt"), {"expression": ["happy", "sad"]})
    assert faces.targets["expression"].classes == tasks.EXPRESSIONS[:8]
    assert faces.coded["expression"].codes.tolist() == [1, 2]
    assert faces.votes.counts[0, [1, 2, 4, 7]].tolist() == [5, 2, 2, 2]

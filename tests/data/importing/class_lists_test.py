import pytest

from kfer.data.importing import class_lists
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("calm,tense", ("", ["calm", "tense"])),
        ("a=b=calm,tense", ("a=b", ["calm", "tense"])),
        ('"calm, very",tense', ("", ["calm, very", "tense"])),
        ('mood=0:x, "1:y, z"', ("mood", ["0:x", "1:y, z"])),
        ('mood="a=b","c ""d"""', ("mood", ["a=b", 'c "d"'])),
        ('5" tv,radio', ("", ['5" tv', "radio"])),
        ("mood=", ("mood", [])),
        ("calm,,tense", ("", ["calm", "", "tense"])),
    ],
)
def test_lists_of_a_flag(text, expected):
    assert class_lists.parsed(text) == expected


def test_a_quote_that_is_not_closed_is_refused():
    with pytest.raises(UserError, match='--classes="a,b can.t be read .* in quotes'):
        class_lists.parsed('"a,b')


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (["calm"], "too few"),
        ([], "too few"),
        (["calm", "Calm"], "'calm' stands there twice, whatever its case"),
        (["0:calm", "1:tense", "sunny"], "some have a number and some have none"),
        (["0:calm", "0:tense"], "the number 0 stands there twice"),
        (["01:calm", "1:tense"], "the number 1 stands there twice"),
        (["0:calm", "1:Calm"], "too few"),
        (["0:calm", "1:tense", "1:calm"], "the number 1 stands there twice"),
        (["calm", "", "tense"], "a name is empty"),
        (["0:calm", "1:"], "a name is empty"),
    ],
)
def test_lists_that_lose_a_class_are_refused(listed, message):
    with pytest.raises(UserError, match=rf"^The classes of 'mood' are .*: {message};"):
        TableOptions(classes={"mood": listed})


def test_lists_that_are_good():
    for listed in (
        ["-1:bad", "0:so"],
        ["1:1", "2:1.5"],
        ["5", "10", "15"],
        ["1:a", "2:A", "3:b"],
    ):
        assert TableOptions(classes={"": listed}).classes[""] == tuple(listed)

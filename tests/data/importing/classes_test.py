from collections import Counter

import pytest

from kfer.data.importing import classes
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError
from kfer.tasks import EXPRESSIONS


def vocabulary(counts, order="", **options):
    counts = Counter(counts if isinstance(counts, dict) else dict.fromkeys(counts, 9))
    made = TableOptions(**options)
    return classes.vocabulary(counts, "mood", made, order, "mood")


def test_expressions_by_their_names_in_kfers_order():
    found = vocabulary({"Happiness": 90, "sad": 50, "none": 3, "hapy": 1, "": 4})
    assert found.classes == EXPRESSIONS[:7] and found.is_expression
    assert found.codes == {"": -1, "Happiness": 1, "sad": 2, "none": -1}
    assert list(found.faults) == ["hapy"]
    assert vocabulary(["contempt", "sad"]).classes == EXPRESSIONS


def test_uncertain_is_an_exclusion_where_it_is_no_missing_word():
    found = vocabulary({"happy": 90, "uncertain": 3})
    assert found.faults["uncertain"][0] == "no expression: uncertain"


def test_own_classes_in_any_case_in_alphabetical_order():
    found = vocabulary({"Bored": 5, "bored": 2, "engaged": 3, "NA": 1})
    assert found.classes == ("Bored", "engaged")
    assert found.codes == {"NA": -1, "Bored": 0, "bored": 0, "engaged": 1}


def test_synonyms_and_a_list_rule():
    found = vocabulary(
        ["joy", "Joy!", "wrath"],
        classes={"mood": ("wrath", "joy")},
        synonyms={"Joy!": "joy"},
    )
    assert found.classes == ("wrath", "joy")
    assert found.codes == {"joy": 1, "Joy!": 1, "wrath": 0}


@pytest.mark.parametrize(
    ("numbers", "listed", "expected"),
    [
        (["0", "1", "2"], ("a", "b", "c"), {"0": 0, "1": 1, "2": 2}),
        (["1", "2", "3"], ("a", "b", "c"), {"1": 0, "2": 1, "3": 2}),
        (["1", "2"], ("1:a", "2:b", "3:c"), {"1": 0, "2": 1}),
        (["0.0", "2.0"], ("a", "b", "c"), {"0.0": 0, "2.0": 2}),
    ],
)
def test_numbers_by_a_list(numbers, listed, expected):
    assert vocabulary(numbers, classes={"": listed}).codes == expected


def test_numbers_by_an_order():
    found = vocabulary(["1", "7", "9"], order="raf")
    names = [found.classes[found.codes[text]] for text in ("1", "7")]
    assert names == ["surprise", "neutral"] and list(found.faults) == ["9"]
    assert "numbers of the order raf (1: surprise)" in found.faults["9"][1]


def test_what_could_mean_two_things_is_refused_with_the_flag():
    with pytest.raises(UserError, match=r"numbers \(0, 1\) whose order isn't known"):
        vocabulary(["0", "1"])
    with pytest.raises(UserError, match="could count its 3 classes from 0 or from 1"):
        vocabulary(["1", "2"], classes={"": ("a", "b", "c")})
    with pytest.raises(UserError, match="has 1 different labels"):
        vocabulary(["only"])


def test_words_that_are_listed_are_classes_and_not_missing():
    listed = {"mood": ("none", "mild", "-1")}
    found = vocabulary({"none": 5, "Mild": 3, "NA": 2, "": 1}, classes=listed)
    assert found.codes == {"NA": -1, "": -1, "none": 0, "Mild": 1}
    signed = vocabulary(["-1", "0", "-2", "-1.0"], classes={"mood": ("-1:bad", "0:so")})
    assert signed.codes == {"-2": -1, "-1": 0, "-1.0": 0, "0": 1}
    assert vocabulary(["null", "x"], synonyms={"NULL": "y"}).classes == ("x", "y")


def test_minus_one_with_decimals_is_missing_too():
    found = vocabulary(["-1.0", "1.0", "0.0"], classes={"": ("a", "b")})
    assert found.codes == {"-1.0": -1, "1.0": 1, "0.0": 0}


def test_accents_are_alike_however_they_are_written():
    found = vocabulary({"triste\u0301": 2, "trist\u00e9": 1, "joy": 1})
    assert len(found.classes) == 2 and set(found.codes.values()) == {0, 1}


def test_two_orders_of_one_truth_are_refused():
    counts = Counter({"0": 1, "1": 1})
    made = TableOptions(classes={"annotator:a": ("x", "y"), "annotator:b": ("y", "x")})
    with pytest.raises(UserError, match=r"\['x', 'y'\] and \['y', 'x'\] for one truth"):
        classes.vocabulary(
            counts, "label", made, "", "label", ["annotator:a", "annotator:b"]
        )


def test_a_text_that_is_no_class_is_a_fault_of_its_row():
    found = vocabulary({"happy": 1, "1" * 5000: 1})
    assert found.classes == EXPRESSIONS[:7]
    assert "5000 letters" in found.faults["1" * 5000][1]
    assert list(vocabulary({"happy": 40, "3": 1}).faults) == ["3"]


def test_several_numbers_of_one_class():
    listed = ("1:neg", "2:Neg", "3:neu", "4:pos", "5:pos")
    found = vocabulary(["1", "2", "3", "4", "5", "6"], classes={"mood": listed})
    assert found.classes == ("neg", "neu", "pos")
    assert found.codes == {"1": 0, "2": 0, "3": 1, "4": 2, "5": 2}
    assert list(found.faults) == ["6"]

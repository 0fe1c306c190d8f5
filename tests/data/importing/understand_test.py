import numpy as np
import pandas as pd
import pytest

from kfer.data.importing import label_sets, understand
from kfer.data.importing.options import TableOptions
from kfer.data.importing.reading import Table
from kfer.errors import UserError


def look(columns, **options):
    count = len(next(iter(columns.values())))
    cells = pd.DataFrame({"image": [f"{i}.png" for i in range(count)]} | columns)
    table = Table("t.csv", cells, [*range(2, count + 2)], "text")
    return understand.understand(table, TableOptions(**options), lambda n: ".png" in n)


def test_valence_and_arousal_of_each_annotator_share_a_column():
    found = look(
        {
            "rater1_valence": ["1", "9"],
            "rater1_arousal": ["5", "NA"],
            "tension": ["0", "10"],
        },
        scales={"valence": (1, 9), "arousal": (1, 9), "tension": (0, 10)},
    )
    first, tension = found.sets
    assert (first.target, first.annotator) == ("valence_arousal", "1")
    np.testing.assert_allclose(found.coded["rater1_valence"].codes, [-1, 1])
    np.testing.assert_allclose(found.coded["rater1_arousal"].codes, [0, np.nan])
    np.testing.assert_allclose(found.coded["tension"].codes, [0, 10])
    column = found.targets[tension.target]
    assert (column.low, column.high, column.dimensions) == (0, 10, ("tension",))


def test_minus_one_is_a_value_on_its_scale_and_missing_beyond_it():
    inside = look({"valence": ["-1", "0.5"], "arousal": ["0", "-2"]})
    np.testing.assert_allclose(inside.coded["valence"].codes, [-1, 0.5])
    np.testing.assert_allclose(inside.coded["arousal"].codes, [0, np.nan])


def test_another_scale_is_refused_with_lines_columns_and_values():
    with pytest.raises(
        UserError, match=r"line 2, column 'valence': 7 is outside .*say"
    ):
        look({"valence": ["7", "3"], "arousal": ["1", "1"]})


def test_a_refusal_names_the_scale_of_every_dimension_beyond():
    columns = {"valence": ["7", "1"], "arousal": ["2.5", "8.5"]}
    flags = (
        "say --scale=valence=LOW:HIGH --scale=arousal=LOW:HIGH, such as "
        "--scale=valence=1:9 --scale=arousal=1:9"
    )
    with pytest.raises(UserError, match="from 1 to 7, .*from 2.5 to 8.5, ") as both:
        look(columns)
    assert str(both.value).startswith("t.csv: ") and str(both.value).endswith(flags)
    with pytest.raises(UserError, match="such as --scale=arousal=2:9$"):
        look(columns, scales={"valence": (1, 9)})


def test_a_stray_value_is_a_fault_of_its_row():
    found = look({"valence": ["0"] * 40 + ["7"], "arousal": ["0"] * 41})
    assert list(found.coded["valence"].faults) == [40]
    assert found.coded["valence"].faults[40][0] == "label out of range"


def test_values_on_one_side_of_nothing_could_be_shares():
    shares = [str(i / 20) for i in range(20)]
    with pytest.raises(
        UserError, match=r"from 0 to 0.95 and could .*--scale=valence=0:1"
    ):
        look({"valence": shares, "arousal": ["0"] * 20})
    found = look(
        {"valence": shares, "arousal": shares},
        scales={"valence": (0, 1), "arousal": (-1, 1)},
    )
    np.testing.assert_allclose(found.coded["valence"].codes[[0, 10]], [-1, 0])
    assert "values of arousal: -1..1, found 0..0.95" in found.notes


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        (["0", "0.25", "0.5", "0.75", "1"], True),
        (["0", "1", "1", "0", "1"], True),
        (["0.2", "0.5", "0.2", "0.9", "0.5"], True),
        (["0", "0.5", "0", "0.5", "NA"], False),
        (["-0.5", "0", "0.25", "0.5", "1"], False),
    ],
)
def test_scales_of_few_steps_are_asked_for_too(values, asked):
    columns = {"valence": values, "arousal": values[::-1]}
    if not asked:
        assert len(look(columns).notes) == 2
        return
    with pytest.raises(UserError) as refused:
        look(columns)
    for name in columns:
        assert f"say --scale={name}=0:1 or --scale={name}=-1:1" in str(refused.value)
    look(columns, scales={"valence": (0, 1), "arousal": (-1, 1)})


def test_each_column_has_its_scale_and_one_truth_has_one():
    columns = {"annotator:a:valence": ["1", "9"], "annotator:b:valence": ["1", "5"]}
    scales = {"annotator:a:valence": (1, 9), "annotator:b:valence": (1, 5)}
    found = look(columns, scales=scales)
    for header in columns:
        np.testing.assert_allclose(found.coded[header].codes, [-1, 1])
    pain = {
        header.replace("valence", "pain"): cells for header, cells in columns.items()
    }
    scales = {header.replace("valence", "pain"): s for header, s in scales.items()}
    with pytest.raises(UserError, match=r"\(1, 9\) and \(1, 5\) for one truth, 'pain'"):
        look(pain, scales=scales)


def test_flags_that_name_no_labels_are_refused():
    for name, value in (("scales", (1, 9)), ("classes", ("a", "b"))):
        with pytest.raises(UserError, match=r"has no labels 'valance' \(--"):
            look({"valence": ["0"]}, **{name: {"valance": value}})


def test_an_order_that_a_header_contradicts_is_refused():
    with pytest.raises(UserError, match="in the order raf, --order says affectnet"):
        look({"expression:raf": ["1", "2"]}, order="affectnet")


def test_rows_set_aside_as_a_whole_make_no_classes():
    cells = pd.DataFrame(
        {"image": ["a.png", "b.png", "c.png"], "label": ["x", "y", "?"]}
    )
    table = Table("t.csv", cells, [2, 3, 4], "text", ",", {2: "3 cells, expected 2"})
    found = understand.understand(table, TableOptions(), lambda n: ".png" in n)
    assert found.targets["label"].classes == ("x", "y")


def test_what_may_not_be_meant_is_noted():
    found = look({"Anna": ["x", "y"], "Bob": ["y", "x"]}, labels=("Anna", "Bob"))
    assert any("--annotators=Anna,Bob" in note for note in found.notes)
    one = look({"Anna": ["x", "y"], "Bob": ["y", "x"]}, annotators=("Anna", "Bob"))
    assert [s.annotator for s in one.sets] == ["Anna", "Bob"]
    people = look({"rater": ["ann", "Ann", ""], "label": ["x", "y", "x"]})
    assert "two annotators: 'ann' and 'Ann'" in people.notes
    assert people.people == ("ann", "Ann", "")
    unmet = look({"label": ["x", "y"]}, synonyms={"z": "x", "X": "y", "Y": "x"})
    assert "no label is 'z' (--synonyms)" in unmet.notes


def test_several_truths_at_once():
    found = look(
        {
            "expression": ["happy", "sad"],
            "gender": ["f", "m"],
            "annotator:a:expression": ["sad", "sad"],
        }
    )
    targets = [label_set.target for label_set in found.sets]
    assert targets == ["expression", "gender", "expression"]
    with pytest.raises(UserError, match="'annotator:a' could be of expression or gend"):
        look({"expression": ["happy"], "gender": ["f"], "annotator:a": ["sad"]})


def test_classes_and_values_of_one_truth_are_refused():
    with pytest.raises(UserError, match="some are classes and some values of 'label'"):
        look(
            {"annotator:a": ["x", "y"], "annotator:b": ["1", "2"]},
            scales={"annotator:b": (1, 5)},
        )


def test_orders_must_be_one():
    columns = {"expression:raf": ["1", "2"], "expression:affectnet": ["1", "2"]}
    with pytest.raises(UserError, match=r"orders \['affectnet', 'raf'\]; give one"):
        look(columns)


def test_pictures_that_stand_twice_make_a_long_table():
    twice = {"image": ["a.png", "a.png"], "label": ["x", "y"]}
    assert look(twice).is_long
    numbered = look(twice | {"id": ["1", "2"]})
    assert not numbered.is_long
    said = (
        "1 pictures, such as 'a.png', stand under several ids of column 'id': each id "
        "is an example of its own{}. If the rows are ratings of one picture, --ignore=id"
    )
    counted = ", and its labels count as its truth"
    assert said.format(counted) in numbered.notes
    truth = look(twice | {"id": ["1", "2"], "truth": ["x", "x"]}, labels=("label",))
    assert said.format("") in truth.notes


def test_column_of():
    found = look({"annotator:é b": ["x", "y"]})
    (label_set,) = found.sets
    target = found.targets[label_set.target]
    column = label_sets.column_of(label_set, target, "é b", several=False)
    assert (column.name, column.target) == ("annotator_é b", "label")
    both = label_sets.column_of(label_set, target, "b", several=True)
    assert both.name == "annotator_b_label"
    assert found.table.form == "text"


def test_numbers_of_annotators_have_one_spelling():
    rows = {"image": ["a.png"] * 3, "worker": ["7.0", " 7", "-1"], "label": [*"xyx"]}
    assert look(rows).people == ("7", "7", "")


def test_the_scale_of_one_column_is_not_that_of_the_others():
    columns = {
        "annotator:Ann:valence": ["-90", "100"],
        "annotator:Bob:valence": ["-0.9", "1"],
    }
    found = look(columns, scales={"annotator:Ann:valence": (-100, 100)})
    for header in columns:
        np.testing.assert_allclose(found.coded[header].codes, [-0.9, 1])
    said = "values of valence: -100..100 and -1..1, stored in [-1, 1], found -90..100"
    assert said in found.notes
    columns = {"annotator:a:valence": ["1", "9"], "annotator:b:valence": ["1", "5"]}
    shared = look(columns, scales={"valence": (1, 9)})
    np.testing.assert_allclose(shared.coded["annotator:b:valence"].codes, [-1, 0])
    with pytest.raises(UserError, match="column 'annotator:b:valence': 5 is outside"):
        look(columns, scales={"annotator:a:valence": (1, 9)})

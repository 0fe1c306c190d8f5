import pandas as pd
import pytest

from kfer.data.importing import roles
from kfer.data.importing.options import TableOptions
from kfer.data.importing.reading import Table
from kfer.errors import UserError


def assign(columns, **options):
    cells = pd.DataFrame(columns)
    table = Table("t.csv", cells, [*range(2, len(cells) + 2)], "text")
    return roles.assign(table, TableOptions(**options), lambda n: n.endswith(".png"))


def test_roles_by_header_and_the_image_by_its_files():
    found = assign(
        {
            "Stimulus": ["a.png", "b.png"],
            "Worker ID": ["1", "2"],
            "Subject": ["x", "y"],
            "label": ["p", "q"],
            "age": ["30", "40"],
            "remark": ["long", "words"],
        }
    )
    assert found.of == {
        "annotator": "Worker ID",
        "subject": "Subject",
        "image": "Stimulus",
    }
    assert [part.header for part in found.labels] == ["label"]
    assert found.ignored == {
        "age": "numbers without a name that is known; --scale=age=LOW:HIGH",
        "remark": "words; --labels=remark makes it a column of classes",
    }


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("annotator:ann:valence", ("valence", "ann", True)),
        ("annotator_ann_valence", ("valence", "ann", True)),
        ("valence_rater2", ("valence", "2", True)),
        ("Rater 2", ("", "2", False)),
        ("annotator:ann", ("", "ann", False)),
        ("coder_b_gender", ("gender", "b", False)),
    ],
)
def test_wide_annotators(header, expected):
    cells = ["0.5", "1"] if expected[2] else ["x", "y"]
    (found,) = assign({"image": ["a.png", "b.png"], header: cells}).labels
    assert (found.what, found.annotator, found.is_values) == expected


def test_truths_and_orders():
    rows = {"image": ["a.png"], "truth": ["x"], "expression:raf": ["3"]}
    truth, expression = assign(rows).labels
    assert (truth.is_truth, truth.what) == (True, "")
    assert (expression.what, expression.order) == ("expression", "raf")


def test_votes_are_columns_of_numbers_named_by_classes():
    rows = {"image": ["a.png"], "votes_happy": ["1"], "sadness": ["2"], "NF": ["0"]}
    found = assign(rows)
    assert found.votes == {"happy": "votes_happy", "sad": "sadness", "no_face": "NF"}
    named = assign({"image": ["a.png"], "x": ["1"], "y": ["2"]}, votes=("x", "y"))
    assert named.votes == {"x": "x", "y": "y"}


def test_shares_in_percent_and_within_a_json_object_are_votes():
    rows = {"image": ["a.png"], "happy": ["70%"], "sad": ["20%"], "anger": ["10%"]}
    assert set(assign(rows).votes) == {"happy", "sad", "anger"}
    inner = {"image": ["a.png"], "label:calm": ["0.2"], "label:Tense": ["0.8"]}
    assert assign(inner).votes == {"calm": "label:calm", "tense": "label:Tense"}


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (
            {"image": ["a.png"], "label": ["1"]},
            {},
            r"'label' \(line 2: 1\) could be classes or values; say --classes=label=",
        ),
        (
            {"x.a": ["a.png"], "x.b": ["b.png"], "label": ["u"]},
            {},
            r"\['x.a', 'x.b'\] could each name the pictures; name one as --column=image",
        ),
        ({"a": ["1"], "label": ["u"]}, {}, "none of the columns .* names pictures"),
        ({"a.png": ["b.png"], "happy": ["sad"]}, {}, "no header: .* picture 'a.png'"),
        ({"image": ["a.png"], "note": ["u"]}, {}, "no column of labels"),
        (
            {"image": ["a.png"], "worker": ["1"], "rater": ["1"], "label": ["u"]},
            {},
            "both could be the annotator",
        ),
        (
            {"image": ["a.png"], "label": ["u"]},
            {"ignore": ("x",)},
            r"no column 'x' \(--ignore\)",
        ),
        (
            {"image": ["a.png"], "expression:rafdb": ["1"]},
            {},
            "Unknown label order 'rafdb'",
        ),
    ],
)
def test_two_meanings_stop_with_the_flag_to_set(columns, options, message):
    with pytest.raises(UserError, match=message):
        assign(columns, **options)


def test_a_table_without_any_column_for_labels_is_told_so():
    columns = {"picture": ["a.png", "b.png"], "rater": ["x", "y"]}
    with pytest.raises(UserError) as told:
        assign(columns)
    assert "no column is left to be a label" in str(told.value)
    assert "'picture' is the image" in str(told.value)
    with pytest.raises(UserError, match=r"of \['who'\] name those with --labels"):
        assign({"picture": ["a.png", "b.png"], "who": ["x", "y"]})


WIDE = {"image": ["a.png", "b.png"], "rater1": ["x", "y"], "rater2": ["y", "x"]}


@pytest.mark.parametrize("names", [["KM", "KM"], ["", ""], ["KM", "LN"]])
def test_who_typed_a_wide_table_in_sets_no_labels_aside(names):
    found = assign(WIDE | {"coder": names, "gold": ["x", "y"]})
    assert [(p.annotator, p.is_truth) for p in found.labels] == [
        ("1", False),
        ("2", False),
        ("", True),
    ]
    assert not found.ignored


@pytest.mark.parametrize(
    ("images", "people", "aside"),
    [
        (["a.png", "b.png"], ["A", "B"], True),
        (["a.png", "a.png"], ["A", "A"], True),
        (["a.png", "b.png"], ["A", "A"], False),
    ],
)
def test_side_columns_of_ratings(images, people, aside):
    rows = {"image": images, "rater": people, "label": ["x", "y"]}
    found = assign(rows | {"rater_country": ["DE", "US"]})
    assert ("rater_country" in found.ignored) == aside
    assert len(found.labels) == 2 - aside


@pytest.mark.parametrize("more", [{}, {"gold": ["x", "y"]}])
def test_side_columns_alone_are_refused(more):
    rows = WIDE | {"image": ["a.png", "a.png"], "coder": ["KM", "LN"]} | more
    message = "no label, .*--annotators=rater1,rater2 if .*--ignore=coder if"
    with pytest.raises(UserError, match=message):
        assign(rows)
    assert len(assign(rows, annotators=("rater1", "rater2")).labels) == 2 + len(more)
    assert len(assign(rows, ignore=("coder",)).labels) == 2 + len(more)

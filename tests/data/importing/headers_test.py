import pandas as pd
import pytest

from kfer.data.importing import headers
from kfer.data.importing.options import TableOptions
from kfer.data.importing.reading import Table
from kfer.errors import UserError


def look(header, cells=("x", "y"), **options):
    table = Table("t.csv", pd.DataFrame({header: [*cells]}), [2, 3], "text")
    return headers.labels_of(table, header, TableOptions(**options))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Anna", ("", "Anna")),
        ("label2", ("label", "2")),
        ("expression_1", ("expression", "1")),
        ("Ann valence", ("valence", "Ann")),
        ("ann_expression", ("expression", "ann")),
        ("Rater B", ("", "B")),
        ("annotator:ann:pain", ("pain", "ann")),
        ("pain_3", ("pain", "3")),
    ],
)
def test_columns_that_are_said_to_be_of_one_person_each(header, expected):
    numbers = header.endswith("valence")
    found = look(
        header,
        ("0.5", "1") if numbers else ("x", "y"),
        annotators=(header,),
        classes={"Pain": ("x", "y")},
    )
    assert (found.what, found.annotator) == expected
    assert found.is_values == numbers


def test_a_scale_of_nameless_labels_is_that_of_all_annotators():
    found = look("annotator:a", ("1", "9"), scales={"label": (1, 9)})
    assert (found.is_values, found.annotator, found.what) == (True, "a", "")
    with pytest.raises(UserError, match=r"--classes=label=.*--scale=label=.*--order="):
        look("annotator:a", ("1", "9"))


def test_an_annotators_numbers_may_name_their_order():
    found = look("annotator:ann:expression:raf", ("1", "2"))
    assert (found.what, found.annotator, found.order) == ("expression", "ann", "raf")
    assert look("annotator:ann:raf", ("1", "2")).order == "raf"


def test_a_column_without_a_name_is_no_scale():
    assert look("", ("0", "1")) == "it has no name"


def test_numbers():
    cells = pd.Series(["1", "NA", "0,5"])
    assert headers.is_numeric(cells, TableOptions())
    assert not headers.is_numeric(pd.Series(["NA", ""]), TableOptions())
    assert not headers.is_numeric(pd.Series(["1", "x"]), TableOptions())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("rater2", "2"),
        ("raterB", "B"),
        ("RATERb", "b"),
        ("judgeAnna", "Anna"),
        ("annotator: Ann", "Ann"),
        ("worker-7", "7"),
        ("labeller_notes", "notes"),
        ("judgement", None),
        ("JUDGEMENT", None),
        ("raters", None),
        ("workerless", None),
    ],
)
def test_whose_a_column_is_by_its_header(header, expected):
    for name in (header, f"label_{header}"):
        found = look(name, labels=(name,))
        assert found.annotator == (expected or "")
        assert found.what == (
            headers.plain(name) if not expected else "label" if name != header else ""
        )


def test_a_header_that_names_nobody_is_nobodys():
    assert (
        look("annotator:") == "words; --labels=annotator: makes it a column of classes"
    )


def test_side_columns_where_another_names_the_annotators():
    columns = {
        "rater": ["a", "b"],
        "rater_country": ["x", "y"],
        "rater_age": ["1", "2"],
    }
    table = Table("t.csv", pd.DataFrame(columns), [2, 3], "text")

    def found(header, **options):
        return headers.labels_of(table, header, TableOptions(**options), "rater")

    assert found("rater_country") == (
        "'rater' names each row's annotator; --labels=rater_country makes it a column "
        "of classes"
    )
    assert found("rater_age").startswith("'rater' names")
    named = found("rater_country", labels=("rater_country",))
    assert (named.what, named.annotator) == ("rater_country", "")
    scaled = found("rater_age", scales={"rater_age": (0, 99)})
    assert (scaled.what, scaled.annotator, scaled.is_values) == ("rater_age", "", True)
    person = found("rater_country", annotators=("rater_country",))
    assert (person.what, person.annotator) == ("", "country")

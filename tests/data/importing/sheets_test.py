import pandas as pd
import pytest

from kfer.data.importing import reading
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def test_one_sheet_of_several_is_named(tmp_path):
    frame = pd.DataFrame({"image": ["a.png", "b.png"], "valence": [1.0, 0.25]})
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        frame.to_excel(book, "one", index=False)
        frame.to_excel(book, "two", index=False)
    with pytest.raises(UserError, match="name the --sheet"):
        reading.read(str(tmp_path / "two.xlsx"), TableOptions())
    named = reading.read(str(tmp_path / "two.xlsx"), TableOptions(sheet="two"))
    assert len(named.cells) == 2


def test_a_header_that_stands_twice_is_refused_or_ignored(tmp_path):
    path = str(tmp_path / "t.xlsx")
    rows = [["Notes", "image", "Notes ", "label"], ["x", "a.png", "y", "p"]]
    pd.DataFrame(rows).to_excel(path, index=False, header=False)
    message = "t.xlsx has the column 'Notes' twice; rename one, or .* --ignore=Notes$"
    with pytest.raises(UserError, match=message):
        reading.read(path, TableOptions(ignore=("label",)))
    found = reading.read(path, TableOptions(ignore=("Notes",)))
    assert found.cells.to_dict("list") == {
        "Notes": ["x"],
        "image": ["a.png"],
        "label": ["p"],
    }


def test_blank_rows_and_columns_and_a_column_without_a_name(tmp_path):
    rows = [
        [None] * 4,
        ["image", None, 7, None],
        ["a.png", None, 1, "odd"],
        [None] * 4,
        ["b.png", None, 0.5, None],
    ]
    pd.DataFrame(rows).to_excel(tmp_path / "t.xlsx", index=False, header=False)
    found = reading.read(str(tmp_path / "t.xlsx"), TableOptions())
    assert found.cells.to_dict("list") == {
        "image": ["a.png", "b.png"],
        "7": ["1", "0.5"],
        "Unnamed: 3": ["odd", ""],
    }
    assert found.lines == [3, 5]
    pd.DataFrame().to_excel(tmp_path / "e.xlsx", index=False, header=False)
    with pytest.raises(UserError, match="e.xlsx has no header"):
        reading.read(str(tmp_path / "e.xlsx"), TableOptions())

import json

import pandas as pd
import pytest

from kfer.data.importing import reading
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def read(tmp_path, content, name="t.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return reading.read(str(path), TableOptions(**options))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_delimiters_encodings_and_line_ends(tmp_path, end, delimiter, encoding):
    text = end.join(["image;label", "ä.png;Freude", "b.png;Wut"])
    found = read(tmp_path, text.replace(";", delimiter).encode(encoding))
    assert found.cells.to_dict("list") == {
        "image": ["ä.png", "b.png"],
        "label": ["Freude", "Wut"],
    }
    assert (found.delimiter, found.lines) == (delimiter, [2, 3])


def test_sep_line_quoted_breaks_blank_lines_and_rows_of_another_width(tmp_path):
    text = 'sep=;\na;b\n"x\ny";1,5\n\n3\n4;5;6\n7;"8;9"\n'
    found = read(tmp_path, text)
    assert found.cells.to_dict("list") == {
        "a": ["x\ny", "3", "4", "7"],
        "b": ["1,5", "", "5", "8;9"],
    }
    assert found.lines == [3, 6, 7, 8]
    assert found.problems == {
        1: "1 cells, expected 2",
        2: "more than 2 cells, expected 2",
    }
    assert found.source(2) == "t.csv:7"


def test_a_delimiter_at_each_end_is_no_column(tmp_path):
    found = read(tmp_path, "a;b;\n1;2;\n")
    assert list(found.cells.columns) == ["a", "b"] and not found.problems


def test_json_lines_and_arrays(tmp_path):
    lines = '{"a": "01", "b": {"x": 2.0}}\n\n[1]\n{"a": "\\ud800"}\n{"a": \n'
    found = read(tmp_path, lines, "t.jsonl")
    assert found.cells["a"].tolist()[0] == "01"
    assert found.cells["b:x"].tolist()[0] == "2"
    assert found.lines == [1, 3, 4, 5]
    assert sorted(found.problems) == [1, 2, 3]
    array = read(tmp_path, json.dumps([{"a": None}, {"a": [1, 2]}]), "t.json")
    assert array.cells["a"].tolist() == ["", "1;2"] and array.form == "a JSON array"
    deep = read(tmp_path, '{"a": 1}\n' + "[" * 100_000 + "\n", "t.jsonl")
    assert "no JSON" in deep.problems[1]


def test_parquet_and_spreadsheets(tmp_path):
    frame = pd.DataFrame({"image": ["a.png", "b.png"], "valence": [1.0, 0.25]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    for name in ("t.parquet", "t.xlsx"):
        found = reading.read(str(tmp_path / name), TableOptions())
        assert found.cells["valence"].tolist() == ["1", "0.25"]
        assert found.lines == [2, 3]
    kinds = {"i": pd.array([1, None], "Int64"), "f": pd.array([None, 0.5], "Float64")}
    frame.assign(**kinds, c=pd.Categorical(["a", None])).to_parquet(
        tmp_path / "n.parquet"
    )
    empty = reading.read(str(tmp_path / "n.parquet"), TableOptions()).cells
    assert empty[["i", "f", "c"]].values.tolist() == [["1", "", "a"], ["", "0.5", ""]]
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        frame.to_excel(book, "one", index=False)
        frame.to_excel(book, "two", index=False)
    with pytest.raises(UserError, match="name the --sheet"):
        reading.read(str(tmp_path / "two.xlsx"), TableOptions())
    named = reading.read(str(tmp_path / "two.xlsx"), TableOptions(sheet="two"))
    assert len(named.cells) == 2


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "t.csv", "empty|No columns"),
        (b"  \n\n \n", "t.csv", "has no header"),
        (b"a,b\n", "t.csv", "no rows below its header"),
        (b"a,a\n1,2\n", "t.csv", "the column 'a' twice"),
        (b"a;b,c\n1;2,3\n", "t.csv", "could be parted by commas or semicolons"),
        (b"a,b\n\xe4,1\n", "t.csv", "no utf-8 text .* name its --encoding"),
        (b"PK", "t.parquet", "can't be read"),
        (b"PK", "t.xlsx", "can't be read"),
        (b"[1", "t.json", "can't be read as .json"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, content, name, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, content, name)


def test_an_encoding_that_is_named(tmp_path):
    found = read(tmp_path, "a,b\nä,1\n".encode("cp1252"), encoding="cp1252")
    assert found.cells["a"].tolist() == ["ä"]

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


def test_an_encoding_that_is_named(tmp_path):
    found = read(tmp_path, "a,b\nä,1\n".encode("cp1252"), encoding="cp1252")
    assert found.cells["a"].tolist() == ["ä"]


@pytest.mark.parametrize(
    ("begin", "line"),
    [("\n", 3), ("\n \n\n", 5), ("sep=,\n\n", 4), ("\nsep=,\n", 4), (',,\n"",\n', 4)],
)
def test_blank_lines_before_the_header(tmp_path, begin, line):
    found = read(tmp_path, begin + "image,rater,label\na.png,x,p\n\nb.png,y,q\n")
    assert found.cells.to_dict("list") == {
        "image": ["a.png", "b.png"],
        "rater": ["x", "y"],
        "label": ["p", "q"],
    }
    assert (found.lines, found.problems) == ([line, line + 2], {})


def test_rows_that_a_stray_quote_swallows_are_told(tmp_path):
    rows = [f"{i}.png,ann,calm,ok\n" for i in range(9)]
    rows[2] = '2.png,ann,calm,"so so\n'
    rows[6] = '6.png,ann,calm,hm"\n'
    found = read(tmp_path, "image,rater,label,comment\n" + "".join(rows))
    assert len(found.cells) == 5
    assert found.remarks == (
        "t.csv:4 goes on for 5 lines, which count as one row: is one of its quotes "
        "stray?",
    )
    said = read(tmp_path, 'image,label,comment\na.png,x,"well, so\nsaid"\nb.png,y,\n')
    assert said.remarks == ()
    long = read(tmp_path, 'image,comment\na.png,"' + "so\n" * 21 + '"\nb.png,no\n')
    assert "t.csv:2 goes on for 22 lines" in long.remarks[0]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('a.png,x\n"b.png,y\nc.png,x\n', 5),
        ('a.png,"x\ny"\n"b.png",x\nc.png,y "z"\n"d.png,x\n', 8),
        ('a.png,x\nb.png,"y" z\nc.png,x\n', 5),
        ('a.png,x\n\nb.png,"' + "y" * 140_000 + "\n", 6),
    ],
)
def test_a_quote_that_is_not_closed_is_told_with_its_line(tmp_path, rows, line):
    with pytest.raises(UserError, match=rf"^t\.csv:{line}: a quote in this row isn't "):
        read(tmp_path, "\n\nimage,label\n" + rows)


def test_rows_that_are_all_wider_or_narrower_than_the_header(tmp_path):
    with pytest.raises(
        UserError,
        match=r"^t.csv:2: expected 2 cells, .*\(image, label\), got 3 or more",
    ):
        read(tmp_path, "image,label,\na.png,x,7\nb.png,y,8\n")
    with pytest.raises(UserError, match=r"got 1, and so in every row; give each col"):
        read(tmp_path, "image;label\na.png\nb.png\n")
    some = read(tmp_path, "image,label\na.png,x,7\nb.png,y\n")
    assert list(some.problems) == [0]


def test_a_cell_quoted_after_a_space(tmp_path):
    found = read(tmp_path, 'image, "label"\na.png, "x"\nb.png,  z\nc.png, "x" y\n')
    assert found.cells.to_dict("list") == {
        "image": ["a.png", "b.png", "c.png"],
        "label": ["x", "  z", ' "x" y'],
    }


def test_a_quote_after_a_space_opens_nothing(tmp_path):
    """Two comments of a table without quoting, six rows apart."""
    comments = ['"sad, I think', "", "", "", "", "", 'not happy"']
    rows = "".join(f"{i}.png;a; {text}\n" for i, text in enumerate(comments))
    found = read(tmp_path, "image;label;comment\n" + rows)
    assert len(found.cells) == 7 and not found.problems and not found.remarks
    assert found.cells["comment"][0] == ' "sad, I think'

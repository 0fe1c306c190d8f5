"""Letters that are none are told by their row and don't mix cells up."""

import pandas as pd

from kfer.data.importing import letters, reading
from kfer.data.importing.options import TableOptions


def test_rows_with_a_nul_or_half_a_pair():
    cells = pd.DataFrame({"a": ["x", "\0", "y\ud800"], "b": ["", "z", "\0"]})
    assert letters.broken(cells) == {
        1: "a NUL, which is no character",
        2: "half of a surrogate pair, which is no character",
    }
    assert letters.replaced(cells)["a"].tolist() == ["x", "�", "y�"]


def test_a_cell_with_a_nul_is_not_the_text_before_it(tmp_path):
    # pandas takes 'sad\0x' for 'sad' and '\0x' for '' where it looks for unlike cells.
    (tmp_path / "t.csv").write_bytes(b"image,label\na,sad\nb,sad\0x\nc,\nd,\0x\n")
    found = reading.read(str(tmp_path / "t.csv"), TableOptions())
    assert found.cells["label"].tolist() == ["sad", "sad�x", "", "�x"]
    assert found.problems == {1: "a NUL, which is no character"} | {
        3: "a NUL, which is no character"
    }


def test_lists_of_such_a_row_are_not_looked_at(tmp_path):
    lines = '{"image": "a", "votes": ["x\\u0000"]}\n{"image": "b", "votes": ["y"]}\n'
    (tmp_path / "t.jsonl").write_text(lines)
    found = reading.read(str(tmp_path / "t.jsonl"), TableOptions())
    assert found.lists["votes"] == [None, ["y"]]
    assert list(found.problems) == [0]

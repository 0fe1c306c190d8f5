import pandas as pd
import pytest

from kfer.data.importing import reading
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def read(tmp_path, content, name="t.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return reading.read(str(path), TableOptions(**options))


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

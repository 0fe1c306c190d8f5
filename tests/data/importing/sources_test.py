import pytest

from kfer.data.importing import examples, sources
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_class_folders_by_numbers_are_read_in_an_order(tmp_path):
    touch(tmp_path, *(f"{n}/{n}.jpg" for n in range(1, 8)))
    with pytest.raises(UserError, match="numbers of 'label' .*--classes=label="):
        sources.load(str(tmp_path), TableOptions())
    chosen = TableOptions(order="raf")
    found, made = sources.load(str(tmp_path), chosen)
    rows = list(examples.read(found, chosen, made))
    classes = made.columns["expression"].classes
    assert classes[rows[0].labels["expression"]] == "surprise"


def test_a_changed_table_is_looked_at_again(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,label\na.png,x\nb.png,y\n")
    first, _ = sources.load(str(tmp_path), TableOptions(path=str(path)))
    assert sources.load(str(tmp_path), TableOptions(path=str(path)))[0] is first
    path.write_text("image,label\na.png,x\nb.png,y\nc.png,longer\n")
    again, _ = sources.load(str(tmp_path), TableOptions(path=str(path)))
    assert len(again.table.cells) == 3
    with pytest.raises(UserError, match="can't be read: No such file"):
        sources.load(str(tmp_path), TableOptions(path=str(tmp_path / "none.csv")))


def test_names_outside_the_root_are_rows_and_no_crash(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("image,label\n../a.png,x\n/b.png,y\nc\0.png,x\n")
    found, _ = sources.load(str(tmp_path), TableOptions(path=str(path)))
    assert len(found.table.cells) == 3


@pytest.mark.parametrize(
    ("suffix", "kind"), [("xlsx", r"\.xlsx"), ("parquet", "Parquet")]
)
def test_a_broken_spreadsheet_is_one_line(tmp_path, suffix, kind):
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(UserError, match=f"can't be read as {kind}: "):
        sources.load(str(tmp_path), TableOptions(path=str(path)))

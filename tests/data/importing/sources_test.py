import pytest

from kfer.data.importing import examples, sources
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_class_folders_within_splits(tmp_path):
    touch(tmp_path, "train/happy/x.jpg", "train/sad/deep/y.PNG", "test/sad/z.heic")
    table = sources.class_folders(str(tmp_path))
    assert table.cells.to_dict("list") == {
        "image": ["test/sad/z.heic", "train/happy/x.jpg", "train/sad/deep/y.PNG"],
        "label": ["sad", "happy", "sad"],
        "split": ["test", "train", "train"],
    }


def test_class_folders_by_numbers_are_read_in_an_order(tmp_path):
    touch(tmp_path, *(f"{n}/{n}.jpg" for n in range(1, 8)))
    with pytest.raises(UserError, match="numbers of 'label' .*--classes=label="):
        sources.load(str(tmp_path), TableOptions())
    chosen = TableOptions(order="raf")
    found, made = sources.load(str(tmp_path), chosen)
    rows = list(examples.read(found, chosen, made))
    classes = made.columns["expression"].classes
    assert classes[rows[0].labels["expression"]] == "surprise"


def test_folders_without_classes_are_refused(tmp_path):
    with pytest.raises(UserError, match="neither a table nor a folder of class"):
        sources.class_folders(str(tmp_path))
    touch(tmp_path, "happy/x.jpg", "y.jpg")
    with pytest.raises(UserError, match=r"1 pictures, such as 'y\.jpg', lie in no"):
        sources.class_folders(str(tmp_path))


def test_folders_around_and_beside_the_classes(tmp_path):
    names = [f"DATA/{split}/{n}/x.jpg" for split in ("train", "test") for n in (1, 2)]
    touch(
        tmp_path, *names, "DATA/.thumbs/1.jpg", "__MACOSX/train/1/x.jpg", "DATA/a.txt"
    )
    table = sources.class_folders(str(tmp_path))
    assert table.cells["label"].tolist() == ["1", "2", "1", "2"]
    assert table.cells["split"].tolist() == ["test", "test", "train", "train"]
    assert table.form.endswith("within splits, 3 other or hidden files left out")


def test_which_folder_is_the_class_is_asked(tmp_path):
    touch(tmp_path, *(f"{a}/{b}/x.jpg" for a in ("seen", "new") for b in ("p", "q")))
    with pytest.raises(UserError, match="each of new, seen has the folders p, q; say"):
        sources.class_folders(str(tmp_path))
    for level, classes in ((1, ["new", "new", "seen", "seen"]), (2, ["p", "q"] * 2)):
        table = sources.class_folders(str(tmp_path), level)
        assert table.cells["label"].tolist() == classes and "split" not in table.cells
    touch(tmp_path, "seen/r/x.jpg")  # not the same in each: subfolders of classes
    assert sources.class_folders(str(tmp_path)).cells["label"].iloc[0] == "new"


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

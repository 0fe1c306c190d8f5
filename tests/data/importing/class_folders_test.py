import pytest

from kfer.data.importing import class_folders
from kfer.errors import UserError


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_class_folders_within_splits(tmp_path):
    touch(tmp_path, "train/happy/x.jpg", "train/sad/deep/y.PNG", "test/sad/z.heic")
    table = class_folders.read(str(tmp_path))
    assert table.cells.to_dict("list") == {
        "image": ["test/sad/z.heic", "train/happy/x.jpg", "train/sad/deep/y.PNG"],
        "label": ["sad", "happy", "sad"],
        "split": ["test", "train", "train"],
    }


def test_folders_without_classes_are_refused(tmp_path):
    with pytest.raises(UserError, match="neither a table nor a folder of class"):
        class_folders.read(str(tmp_path))
    touch(tmp_path, "happy/x.jpg", "y.jpg")
    with pytest.raises(UserError, match=r"1 pictures, such as 'y\.jpg', lie in no"):
        class_folders.read(str(tmp_path))


def test_folders_around_and_beside_the_classes(tmp_path):
    names = [f"DATA/{split}/{n}/x.jpg" for split in ("train", "test") for n in (1, 2)]
    touch(
        tmp_path, *names, "DATA/.thumbs/1.jpg", "__MACOSX/train/1/x.jpg", "DATA/a.txt"
    )
    table = class_folders.read(str(tmp_path))
    assert table.cells["label"].tolist() == ["1", "2", "1", "2"]
    assert table.cells["split"].tolist() == ["test", "test", "train", "train"]
    assert table.form.endswith("within splits, 3 other or hidden files left out")


def test_which_folder_is_the_class_is_asked(tmp_path):
    touch(tmp_path, *(f"{a}/{b}/x.jpg" for a in ("seen", "new") for b in ("p", "q")))
    with pytest.raises(UserError, match="each of new, seen has the folders p, q; say"):
        class_folders.read(str(tmp_path))
    for level, classes in ((1, ["new", "new", "seen", "seen"]), (2, ["p", "q"] * 2)):
        table = class_folders.read(str(tmp_path), level)
        assert table.cells["label"].tolist() == classes and "split" not in table.cells
    touch(tmp_path, "seen/r/x.jpg")  # not the same in each: subfolders of classes
    assert class_folders.read(str(tmp_path)).cells["label"].iloc[0] == "new"


def test_a_link_to_a_folder_counts_it_once(tmp_path):
    root, away = tmp_path / "root", tmp_path / "away"
    touch(root, "calm/a.jpg", "tense/b.jpg", ".store/dull/d.jpg")
    touch(away, "c.jpg")
    (root / "sunny").symlink_to("tense")
    (root / "tense/again").symlink_to("..")
    (root / "calm/round").symlink_to("../tense")
    (root / "tense/back").symlink_to("../calm")
    (root / "wet").symlink_to(away)
    (root / "dull").symlink_to(".store/dull")
    (root / "grey").symlink_to(".store/dull")
    table = class_folders.read(str(root))
    assert table.cells.to_dict("list") == {
        "image": ["calm/a.jpg", "dull/d.jpg", "tense/b.jpg"],
        "label": ["calm", "dull", "tense"],
    }
    assert table.form == (
        "folders named by classes, 1 other or hidden files left out, links to other or "
        "counted folders left out: calm/round, grey, sunny, tense/again, tense/back, wet"
    )

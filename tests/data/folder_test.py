import os

import pytest

from kfer.data import folder
from kfer.errors import UserError


def fill(path, text: str = "new") -> None:
    (path / "data.txt").write_text(text)
    (path / folder.MANIFEST).write_text("{}")


def make(target, text: str = "new", **fields) -> None:
    with folder.new_folder(str(target), **fields) as path:
        assert os.path.dirname(path) == str(target.parent)
        fill(type(target)(path), text)


def test_folder_takes_its_place_when_done(tmp_path):
    target = tmp_path / "deep" / "set"
    make(target)
    assert (target / "data.txt").read_text() == "new"
    assert os.listdir(target.parent) == ["set"]
    assert os.stat(target).st_mode & 0o777 == 0o755


def test_an_empty_folder_is_used(tmp_path):
    make(tmp_path / "set")
    assert (tmp_path / "set" / "data.txt").exists()


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(KeyError):
        with folder.new_folder(str(tmp_path / "set")):
            raise KeyError
    assert os.listdir(tmp_path) == []


def test_a_data_set_is_replaced_only_when_asked(tmp_path):
    make(tmp_path / "set", "old")
    with pytest.raises(UserError, match=r"already holds a data set.*--overwrite"):
        make(tmp_path / "set")
    assert (tmp_path / "set" / "data.txt").read_text() == "old"
    make(tmp_path / "set", overwrite=True)
    assert (tmp_path / "set" / "data.txt").read_text() == "new"
    assert os.listdir(tmp_path) == ["set"]


def test_a_failed_replacement_keeps_the_old_one(tmp_path):
    make(tmp_path / "set", "old")
    with pytest.raises(KeyError):
        with folder.new_folder(str(tmp_path / "set"), overwrite=True):
            raise KeyError
    assert (tmp_path / "set" / "data.txt").read_text() == "old"


def test_other_files_are_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"holds files that are no data set"):
        make(tmp_path, overwrite=True)
    with pytest.raises(UserError, match=r"is a file"):
        make(tmp_path / "thesis.tex", overwrite=True)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"

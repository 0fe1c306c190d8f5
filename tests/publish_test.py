"""A version appears whole or not at all; what was there stays."""

import errno
import os
import shutil

import pytest

from kfer import publish
from kfer.errors import UserError


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    (folder / "assets").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "assets" / "labels.json").write_text('{"format_version": 1}')
    (folder / "variables" / "variables.index").write_bytes(b"index")
    return str(folder)


def test_versions_grow(model, tmp_path):
    base = str(tmp_path / "served")
    assert publish.publish(model, base) == os.path.join(base, "1")
    assert publish.publish(model, base) == os.path.join(base, "2")
    os.rename(os.path.join(base, "1"), os.path.join(base, "9"))
    shutil.rmtree(os.path.join(base, "2"))
    # by number, not by name, and never one that is taken
    os.rename(os.path.join(base, "9"), os.path.join(base, "10"))
    assert publish.publish(model, base) == os.path.join(base, "11")
    assert publish.versions(base) == [10, 11]


def test_all_files_are_there(model, tmp_path):
    target = publish.publish(model, str(tmp_path / "served"))
    with open(os.path.join(target, "variables", "variables.index"), "rb") as file:
        assert file.read() == b"index"
    names = sorted(os.listdir(tmp_path / "served"))
    assert names == [".lock", "1"]


def test_a_full_disk_leaves_the_last_version(model, tmp_path, monkeypatch):
    base = str(tmp_path / "served")
    publish.publish(model, base)

    def full(source, target):
        os.makedirs(target)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(publish.shutil, "copytree", full)
    with pytest.raises(UserError, match="failed: No space left on device"):
        publish.publish(model, base)
    assert sorted(os.listdir(base)) == [".lock", "1"]


def test_the_copy_has_no_number_until_it_is_whole(model, tmp_path, monkeypatch):
    base, seen = str(tmp_path / "served"), []
    sync_all = publish.model_folder.sync_all

    def look(folder):
        seen.append(publish.versions(base))
        return sync_all(folder)

    monkeypatch.setattr(publish.model_folder, "sync_all", look)
    publish.publish(model, base)
    assert seen == [[]] and publish.versions(base) == [1]


def test_what_a_killed_push_left_goes(model, tmp_path):
    left = tmp_path / "served" / ".partial-0123"
    left.mkdir(parents=True)
    (left / "saved_model.pb").write_bytes(b"half")
    publish.publish(model, str(tmp_path / "served"))
    assert not left.exists()


def test_what_is_no_model(tmp_path):
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UserError, match="is no kfer model"):
        publish.publish(str(tmp_path / "nothing"), str(tmp_path / "served"))
    assert not (tmp_path / "served").exists()

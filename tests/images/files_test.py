"""Names of pictures that records hold."""

import os
import unicodedata

import pytest

from kfer.images import decode, files
from tests.preprocess import pictures


@pytest.mark.parametrize(
    "path",
    ["../secret.png", "a/../../secret.png", "/etc/passwd", "C:/x.png", "a\0b", ".."],
)
def test_paths_that_leave_the_root_are_set_aside(tmp_path, path):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(pictures.unusual()["png"])
    with pytest.raises(decode.BadImage) as error:
        files.read_file(str(root), path)
    assert error.value.reason == decode.OUTSIDE


def test_links_out_of_the_root_are_set_aside(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").mkdir()
    secret = tmp_path / "outside" / "secret.png"
    secret.write_bytes(pictures.unusual()["png"])
    os.symlink(secret, root / "file.png")
    os.symlink(tmp_path / "outside", root / "folder")
    for path in ("file.png", "folder/secret.png"):
        with pytest.raises(decode.BadImage) as error:
            files.read_file(str(root), path)
        assert error.value.reason == decode.OUTSIDE


def test_links_inside_the_root_are_followed(tmp_path):
    data = pictures.unusual()["png"]
    (tmp_path / "a.png").write_bytes(data)
    os.symlink("a.png", tmp_path / "b.png")
    assert files.read_file(str(tmp_path), "b.png") == data
    # A root that is itself a link is the user's choice.
    os.symlink(tmp_path, tmp_path.parent / f"{tmp_path.name}-link")
    root = f"{tmp_path}-link"
    assert files.read_file(root, "a.png") == data


def test_missing_files_and_folders(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path, reason in (
        ("none.png", decode.MISSING),
        ("folder.png", decode.UNREADABLE),
        ("", decode.UNREADABLE),
    ):
        with pytest.raises(decode.BadImage) as error:
            files.read_file(str(tmp_path), path)
        assert error.value.reason == reason


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("named", ["NFC", "NFD"])
def test_names_of_any_script_and_with_a_colon(tmp_path, stored, named):
    data = pictures.unusual()["png"]
    name = "x:bäh:n日本.png"
    (tmp_path / unicodedata.normalize(stored, name)).write_bytes(data)
    found = files.read_file(str(tmp_path), unicodedata.normalize(named, name))
    assert found == data
    assert files.find(str(tmp_path), "other.png") is None

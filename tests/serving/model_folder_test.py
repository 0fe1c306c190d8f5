import os

import pytest

from kfer.errors import UserError
from kfer.serving import model_folder


def fake(path, content: str = '{"format_version": 1}') -> str:
    """A folder that passes for a model until it is loaded."""
    os.makedirs(path / "assets")
    (path / "saved_model.pb").write_bytes(b"\x00broken")
    (path / "assets" / "labels.json").write_text(content)
    return str(path)


def write(out_dir, text: str, overwrite: bool = False) -> None:
    with model_folder.new_folder(str(out_dir), overwrite) as folder:
        with open(os.path.join(folder, "saved_model.pb"), "w") as file:
            file.write(text)
        os.mkdir(os.path.join(folder, "assets"))
        with open(os.path.join(folder, "assets", "labels.json"), "w") as file:
            file.write('{"format_version": 1}')


def test_a_new_folder_takes_its_place_when_whole(tmp_path):
    write(tmp_path / "a" / "model", "first")
    assert (tmp_path / "a" / "model" / "saved_model.pb").read_text() == "first"
    assert os.listdir(tmp_path / "a") == ["model"]
    assert os.stat(tmp_path / "a" / "model").st_mode & 0o777 == 0o755


def test_a_model_is_replaced_only_when_asked(tmp_path):
    out = tmp_path / "model"
    write(out, "first")
    with pytest.raises(UserError, match=r"already holds a model; .* --overwrite"):
        write(out, "second")
    assert (out / "saved_model.pb").read_text() == "first"
    write(out, "second", overwrite=True)
    assert (out / "saved_model.pb").read_text() == "second"
    assert os.listdir(tmp_path) == ["model"]


def test_a_failure_leaves_what_was_there(tmp_path):
    out = tmp_path / "model"
    write(out, "first")
    with pytest.raises(UserError, match=r"Can't write .*No space left.*as it was"):
        with model_folder.new_folder(str(out), True) as folder:
            with open(os.path.join(folder, "saved_model.pb"), "w") as file:
                file.write("half")
            raise OSError(28, "No space left on device")
    assert (out / "saved_model.pb").read_text() == "first"
    assert os.listdir(tmp_path) == ["model"]


def test_other_folders_and_files_are_never_replaced(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds files that are no kfer model"):
        write(tmp_path, "x", overwrite=True)
    with pytest.raises(UserError, match="is a file"):
        write(tmp_path / "notes.txt", "x", overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", "x")
    assert (tmp_path / "empty" / "saved_model.pb").read_text() == "x"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('{"format_version": 2}', "has format version 2, this kfer reads 1"),
        ("[]", "has format version None"),
        ("{", "Can't read .*labels.json"),
    ],
)
def test_descriptions_of_another_kind_are_refused(tmp_path, content, text):
    with pytest.raises(UserError, match=text):
        model_folder.read_description(fake(tmp_path / "m", content))


def test_what_is_no_model_is_said(tmp_path):
    with pytest.raises(UserError, match="is no kfer model: it lacks saved_model"):
        model_folder.read_description(str(tmp_path))
    with pytest.raises(UserError, match=r"is damaged .*; export it again"):
        model_folder.load(fake(tmp_path / "m"))


def test_a_copy_has_the_digest_of_what_it_was_made_of(tmp_path):
    first, second = fake(tmp_path / "a"), fake(tmp_path / "b")
    digest = model_folder.digest(first)
    assert digest == model_folder.digest(second) and len(digest) == 64
    (tmp_path / "b" / "assets" / "labels.json").write_text("{ }")
    assert model_folder.digest(second) != digest
    os.rename(tmp_path / "a" / "saved_model.pb", tmp_path / "a" / "other.pb")
    assert model_folder.digest(first) != digest
    with pytest.raises(UserError, match="Can't read .*none: No such file"):
        model_folder.digest(str(tmp_path / "none"))

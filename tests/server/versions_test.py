"""Which version answers while versions come, go and are damaged."""

import os
import shutil

import pytest

from kfer.errors import UserError
from kfer.server import sources, versions
from tests.server.live import FakeModel


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """A version is a folder with a text; 'bad' can't be loaded."""

    class Fake(FakeModel):
        def __init__(self, folder, version):
            super().__init__()
            self.mark = mark(folder)
            self.version = version
            with open(os.path.join(folder, "saved_model.pb")) as file:
                if file.read() == "bad":
                    raise UserError(f"The model in {folder} is damaged")

    def mark(folder):
        try:
            found = os.stat(os.path.join(folder, "saved_model.pb"))
        except OSError:
            return ()
        return (found.st_ino, found.st_size, found.st_mtime_ns)

    monkeypatch.setattr(versions, "LoadedModel", Fake)
    monkeypatch.setattr(versions, "fingerprint", mark)


def put(base, number, text="good"):
    folder = base / str(number)
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_text(text)
    (folder / "assets" / "labels.json").write_text("{}")
    return folder


@pytest.fixture
def base(tmp_path):
    put(tmp_path / "faces", 1)
    return tmp_path / "faces"


def answers(found):
    return found.current.version if found.current else None


def test_the_newest_answers_also_one_that_comes_later(base):
    put(base, 9)
    found = versions.Versions(str(base))
    assert (found.name, answers(found)) == ("faces", 9)
    put(base, 10)
    assert answers(found) == 9
    found.refresh()
    assert answers(found) == 10
    assert found.get(10) is found.get() and found.get(9) is None


def test_a_folder_that_is_no_number_is_no_version(base):
    put(base, ".publishing-x")
    put(base, "new")
    assert answers(versions.Versions(str(base))) == 1


def test_a_damaged_version_leaves_the_old_one_and_is_tried_again_when_mended(base):
    found = versions.Versions(str(base))
    put(base, 2, "bad")
    for _ in range(3):
        found.refresh()
    assert (answers(found), found.failures) == (1, 1)
    bad, good = found.states()
    assert (bad["version"], bad["state"]) == ("2", "END")
    assert "is damaged" in bad["status"]["error_message"]
    assert good == {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    put(base, 2, "mended")
    found.refresh()
    assert answers(found) == 2 and len(found.states()) == 1


def test_a_version_that_goes_gives_place_to_the_highest_left(base):
    put(base, 2)
    put(base, 3)
    found = versions.Versions(str(base))
    shutil.rmtree(base / "3")
    found.refresh()
    assert answers(found) == 2


def test_a_model_that_goes_is_withdrawn_and_comes_back(base):
    found = versions.Versions(str(base))
    shutil.rmtree(base)
    found.refresh()
    assert answers(found) is None and found.states() == []
    put(base, 1)
    found.refresh()
    assert answers(found) == 1


def test_a_folder_that_cannot_be_listed_withdraws_nothing(base, monkeypatch):
    found = versions.Versions(str(base))

    def refuse(path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sources.publish, "versions", refuse)
    found.refresh()
    assert answers(found) == 1


def test_a_version_padded_with_zeros_answers(base):
    put(base, "0007")
    assert answers(versions.Versions(str(base))) == 7


def test_a_judged_model_is_found_among_the_versions(base, monkeypatch):
    put(base, 2, "better")
    shutil.copytree(base / "1", base.parent / "judged")
    judged = {"digest": versions.model_folder.digest(str(base.parent / "judged"))}
    found = versions.Versions(str(base))
    assert found.holding({}) == ""
    assert found.holding(judged) == (
        "It was published as version 1 of faces, but another version answers now"
    )
    put(base, 3)
    found.refresh()
    assert found.holding(judged) == (
        "It was published as version 1 and 3 of faces, which answers now"
    )
    assert found.holding({"digest": "0"}).startswith("No version of faces that is here")
    put(base, 1, "made over")
    put(base, 3, "gone bad")
    assert found.holding(judged).startswith("No version of faces")
    monkeypatch.setattr(sources.asking, "find_model", lambda path: path)
    single = versions.Versions(str(base.parent / "judged"), "mine")
    assert single.holding(judged) == "This model is mine, which answers here"


def test_nothing_to_serve_is_one_line(tmp_path, base):
    with pytest.raises(UserError, match="holds no version of a model; publish one"):
        versions.Versions(str(tmp_path))
    with pytest.raises(UserError, match="is damaged"):
        put(base, 1, "bad")
        versions.Versions(str(base))


def test_a_model_alone_is_version_1(base, monkeypatch):
    monkeypatch.setattr(sources.asking, "find_model", lambda path: path)
    found = versions.Versions(str(base / "1"), "mine")
    assert (found.name, answers(found)) == ("mine", 1)
    shutil.rmtree(base / "1")
    found.refresh()
    assert answers(found) is None

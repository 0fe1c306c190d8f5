"""Versions of an object store while they come, change, go and are out of reach."""

import os

import fsspec
import pytest

from kfer.errors import StoreError, UserError
from kfer.server import sources, versions
from kfer.storage import fetching, objects
from tests import stores
from tests.server.live import FakeModel

LABELS = b'{"format_version": 1}'


@pytest.fixture(autouse=True)
def fake(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path / "cache"))

    class Fake(FakeModel):
        def __init__(self, folder, version):
            super().__init__()
            self.version, self.mark = version, mark(folder)
            with open(os.path.join(folder, "saved_model.pb")) as file:
                self.text = file.read()
            if self.text == "bad":
                raise UserError(f"The model in {folder} is damaged")

    def mark(folder):
        return (folder,) if os.path.exists(folder) else ()

    monkeypatch.setattr(versions, "LoadedModel", Fake)
    monkeypatch.setattr(versions, "fingerprint", mark)


@pytest.fixture
def base():
    place = stores.memory_place()
    put(place, 1)
    return place


def put(place, number, text="good", complete=True):
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"{place}/{number}/assets/labels.json", LABELS)
    if complete:
        memory.pipe_file(f"{place}/{number}/saved_model.pb", text.encode())


def remove(place, number):
    fsspec.filesystem("memory").rm(f"{place}/{number}", recursive=True)


def answers(found):
    return found.current and (found.current.version, found.current.text)


def test_the_newest_complete_version_answers_and_later_ones_do(base):
    put(base, 2, complete=False)
    found = versions.Versions(base)
    assert (found.name, answers(found)) == ("place", (1, "good"))
    put(base, 2, "newer")
    found.refresh()
    assert answers(found) == (2, "newer")
    put(base, 2, "changed")
    found.refresh()
    assert answers(found) == (2, "changed")
    remove(base, 2)
    found.refresh()
    assert answers(found) == (1, "good")
    remove(base, 1)
    found.refresh()
    assert answers(found) is None


def test_nothing_is_fetched_while_nothing_changes(base, monkeypatch):
    found = versions.Versions(base)
    monkeypatch.setattr(objects.Place, "get", None)
    found.refresh()
    assert answers(found) == (1, "good")
    assert answers(versions.Versions(base)) == (1, "good")


def test_a_version_that_is_damaged_is_said_once(base):
    found = versions.Versions(base)
    put(base, 2, "bad")
    for _ in range(3):
        found.refresh()
    assert (found.failures, answers(found)) == (1, (1, "good"))
    put(base, 2, "mended")
    found.refresh()
    assert answers(found) == (2, "mended")


def test_a_store_that_is_away_withdraws_nothing_and_is_asked_again(base, monkeypatch):
    found = versions.Versions(base)
    put(base, 2, "newer")
    get, listing = objects.Place.get, objects.Place.objects

    def away(*_):
        raise StoreError(f"{base} can't be reached: no route")

    monkeypatch.setattr(objects.Place, "objects", away)
    found.refresh()
    assert answers(found) == (1, "good")
    monkeypatch.setattr(objects.Place, "objects", listing)
    monkeypatch.setattr(objects.Place, "get", away)
    found.refresh()
    assert (answers(found), found.failures) == ((1, "good"), 0)
    monkeypatch.setattr(objects.Place, "get", get)
    found.refresh()
    assert answers(found) == (2, "newer")


def test_a_start_without_a_store_or_a_version_is_one_line(base, monkeypatch):
    with pytest.raises(
        UserError, match=f"{base}/none holds no version of a model; pub"
    ):
        versions.Versions(f"{base}/none")

    def away(*_):
        raise StoreError(f"{base} can't be reached: no route")

    monkeypatch.setattr(objects.Place, "objects", away)
    with pytest.raises(UserError, match="can't be reached: no route$"):
        versions.Versions(base)


def test_a_lone_model_and_a_runs_own_are_version_1(base):
    alone = versions.Versions(f"{base}/1")
    assert answers(alone) == (1, "good")
    memory = fsspec.filesystem("memory")
    run = stores.memory_place()
    memory.pipe_file(f"{run}/config.json", b"{}")
    put(run, "model", "of a run")
    assert answers(versions.Versions(run)) == (1, "of a run")


def test_a_path_is_a_folder(tmp_path):
    found = sources.source_of(str(tmp_path))
    assert isinstance(found, sources.FolderSource) and found.found() == {}
    assert isinstance(sources.source_of("memory://a/b"), sources.StoreSource)

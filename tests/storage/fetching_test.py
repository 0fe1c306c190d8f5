import os

import fsspec
import pytest

from kfer.errors import StoreError, UserError
from kfer.storage import fetching, objects
from tests import stores


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def place():
    """A place with two objects."""
    name = stores.memory_place()
    memory = fsspec.filesystem("memory")
    memory.pipe({f"{name}/dataset.json": b"{}", f"{name}/sub/b.txt": b"two"})
    return name


@pytest.fixture
def gets(monkeypatch):
    """Keys that were fetched, call by call."""
    found = []
    get = objects.Place.get

    def counted(self, files):
        found.append(sorted(files))
        get(self, files)

    monkeypatch.setattr(objects.Place, "get", counted)
    return found


def files(folder):
    return {
        os.path.relpath(os.path.join(at, name), folder): open(
            os.path.join(at, name), "rb"
        ).read()
        for at, _, names in os.walk(folder)
        for name in names
    }


def test_a_place_is_fetched_once(place, gets, cache):
    path = fetching.local_copy(place, ("dataset.json",))
    assert files(path) == {"dataset.json": b"{}", "sub/b.txt": b"two"}
    assert path.startswith(str(cache)) and os.path.basename(path) == "place"
    assert fetching.local_copy(place + "/") == path
    assert gets == [["dataset.json", "sub/b.txt"]]


def test_a_changed_object_is_fetched_anew_and_the_old_copy_stays(place):
    before = fetching.local_copy(place)
    fsspec.filesystem("memory").pipe_file(f"{place}/sub/b.txt", b"TWO")
    after = fetching.local_copy(place)
    assert files(after)["sub/b.txt"] == b"TWO"
    assert files(before)["sub/b.txt"] == b"two"


def test_one_object_is_one_file(place, gets):
    path = fetching.local_copy(f"{place}/sub/b.txt")
    assert os.path.basename(path) == "b.txt" and files(os.path.dirname(path)) == {
        "b.txt": b"two"
    }
    assert fetching.local_copy(f"{place}/sub/b.txt") == path
    assert gets == [[""]]


def test_a_place_without_its_mark_is_refused(place):
    with pytest.raises(UserError, match="has no saved_model.pb or model.onnx: it is"):
        fetching.local_copy(place, ("saved_model.pb", "model.onnx"))
    with pytest.raises(UserError, match="There is nothing at memory://.*/none"):
        fetching.local_copy(place + "/none")


def test_the_sign_of_a_delivery_is_no_part_of_a_place(place):
    path = fetching.local_copy(place)
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"{place}/{fetching.UNFINISHED}", b"x")
    assert fetching.local_copy(place) == path
    memory.rm_file(f"{place}/sub/b.txt")
    memory.rm_file(f"{place}/dataset.json")
    with pytest.raises(UserError, match="There is nothing at"):
        fetching.local_copy(place)


def test_what_changes_while_it_is_fetched_is_fetched_again(place, monkeypatch):
    get, memory = objects.Place.get, fsspec.filesystem("memory")

    def changed(self, files):
        get(self, files)
        if not changed.done:
            memory.pipe_file(f"{place}/dataset.json", b"[]")
            changed.done = True

    changed.done = False
    monkeypatch.setattr(objects.Place, "get", changed)
    path = fetching.local_copy(place)
    assert files(path)["dataset.json"] == b"[]"

    def always(self, files):
        get(self, files)
        always.count += 1
        memory.pipe_file(f"{place}/dataset.json", b"%d" % always.count)

    always.count = 10
    memory.pipe_file(f"{place}/dataset.json", b"0")
    monkeypatch.setattr(objects.Place, "get", always)
    with pytest.raises(UserError, match="changed 3 times while it was fetched; wait"):
        fetching.local_copy(place)


def test_a_mark_that_goes_while_the_place_is_fetched_refuses_it(place, monkeypatch):
    get, memory = objects.Place.get, fsspec.filesystem("memory")

    def overwritten(self, files):
        get(self, files)
        memory.rm_file(f"{place}/dataset.json")

    monkeypatch.setattr(objects.Place, "get", overwritten)
    with pytest.raises(UserError, match="has no dataset.json: it is something else"):
        fetching.local_copy(place, ("dataset.json",))


def test_a_killed_fetch_is_gone_on_with(place, gets, monkeypatch, cache):
    get = objects.Place.get

    def killed(self, files):
        get(self, {"dataset.json": files["dataset.json"]})
        raise KeyboardInterrupt

    monkeypatch.setattr(objects.Place, "get", killed)
    with pytest.raises(KeyboardInterrupt):
        fetching.local_copy(place)
    assert not [
        name
        for name in os.listdir(fetching.folder_of(objects.Place(place)))
        if len(name) == 16
    ]
    monkeypatch.setattr(objects.Place, "get", get)
    path = fetching.local_copy(place)
    assert files(path) == {"dataset.json": b"{}", "sub/b.txt": b"two"}
    assert gets == [["dataset.json"], ["sub/b.txt"]]


def test_what_came_short_is_refused(place, monkeypatch):
    def short(self, files):
        for path in files.values():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "wb").close()

    monkeypatch.setattr(objects.Place, "get", short)
    with pytest.raises(UserError, match="came with 0 bytes, the store says 2; run"):
        fetching.local_copy(place)


def test_no_key_leads_out_of_the_cache(cache, monkeypatch):
    name = stores.memory_place()
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"{name}/a", b"1")
    evil = {
        f"/{name.removeprefix('memory://')}/../../../evil": {"type": "file", "size": 1}
    }
    monkeypatch.setattr(objects.Place(name)._store, "find", lambda *_, **__: evil)
    with pytest.raises(UserError, match="can be no file below a folder"):
        fetching.local_copy(name)
    assert not cache.exists()


def test_a_disk_that_refuses_is_one_line(place, cache):
    cache.write_text("a file")
    with pytest.raises(UserError, match="Can't write to .*cache.*: "):
        fetching.local_copy(place)


def test_paths_of_this_machine_stay(tmp_path):
    assert fetching.local_copy(str(tmp_path)) == str(tmp_path)
    assert fetching.local_copy("a/b") == "a/b"
    assert fetching.origin("a/b") == os.path.abspath("a/b")


def test_copies_are_shown_as_their_places(place, cache):
    path = fetching.local_copy(place)
    assert fetching.origin(f"{path}/sub") == f"{place}/sub"
    text = f"{path}/dataset.json is damaged, {path}, {cache}/x"
    assert (
        fetching.shown(text) == f"{place}/dataset.json is damaged, {place}, {cache}/x"
    )


def test_a_store_that_is_away_says_so():
    with pytest.raises(StoreError, match="There is no"):
        with objects.one_line("s3://b"):
            raise FileNotFoundError("b")

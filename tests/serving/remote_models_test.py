"""Models in a store: which are complete, and publishers that never mix."""

import json
import os
import threading

import fsspec
import pytest

from kfer.errors import StoreError, UserError
from kfer.serving import publish, remote_models
from kfer.storage import fetching, objects
from tests import stores


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path / "cache"))


@pytest.fixture
def base():
    return stores.memory_place()


def model(folder, text="weights"):
    (folder / "assets").mkdir(parents=True)
    (folder / "variables").mkdir()
    (folder / "assets" / "labels.json").write_text(json.dumps({"format_version": 1}))
    (folder / "variables" / "variables.index").write_text(text)
    (folder / "saved_model.pb").write_text(text)
    return str(folder)


def read(path):
    with open(os.path.join(path, "variables", "variables.index")) as file:
        return file.read()


def test_versions_are_numbered_and_the_newest_is_found(base, tmp_path):
    first, second = model(tmp_path / "a", "1"), model(tmp_path / "b", "2")
    assert publish.publish(first, base) == f"{base}/1"
    assert publish.publish(second, f"{base}/") == f"{base}/2"
    assert read(remote_models.newest(base)) == "2"
    assert read(remote_models.newest(f"{base}/1")) == "1"
    assert not [key for key in stores.content(base) if fetching.UNFINISHED in key]


def test_the_mark_of_a_version_comes_last(base, tmp_path, monkeypatch):
    put, order = objects.Place.put, []

    def logged(self, folder, keys):
        order.append(sorted(keys))
        put(self, folder, keys)

    monkeypatch.setattr(objects.Place, "put", logged)
    publish.publish(model(tmp_path / "a"), base)
    assert order == [
        ["assets/labels.json", "variables/variables.index"],
        ["saved_model.pb"],
    ]


def test_a_version_that_stays_incomplete_is_none_and_its_number_is_left(
    base, tmp_path, monkeypatch
):
    folder = model(tmp_path / "a")
    publish.publish(folder, base)
    put = objects.Place.put

    def fails(self, at, keys):
        if "saved_model.pb" in keys:
            raise StoreError("no")
        put(self, at, keys)

    monkeypatch.setattr(objects.Place, "put", fails)
    with pytest.raises(StoreError):
        publish.publish(folder, base)
    assert remote_models.newest(base).endswith("/1")
    place = objects.Place(base)
    assert [*remote_models.versions(place, place.objects())] == [1]
    monkeypatch.setattr(objects.Place, "put", put)
    assert publish.publish(folder, base) == f"{base}/3"


def test_what_was_put_but_is_not_there_gets_no_mark(base, tmp_path, monkeypatch):
    put = objects.Place.put

    def mixed(self, folder, keys):
        put(self, folder, keys)
        fsspec.filesystem("memory").pipe_file(f"{self.name}/assets/labels.json", b"x")

    monkeypatch.setattr(objects.Place, "put", mixed)
    with pytest.raises(
        UserError, match="1/assets/labels.json is not what was put there"
    ):
        publish.publish(model(tmp_path / "a"), base)
    assert f"{base}/1/saved_model.pb" not in stores.content(base)


def test_publishers_at_once_get_a_number_each(tmp_path):
    folders = [model(tmp_path / str(i), f"weights {i}") for i in range(3)]
    with stores.s3("publishers"):
        found = [""] * len(folders)

        def one(i):
            found[i] = publish.publish(folders[i], "s3://publishers/base")

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(folders))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [f"s3://publishers/base/{n}" for n in (1, 2, 3)]
        for i, version in enumerate(found):
            assert read(remote_models.newest(version)) == f"weights {i}"


def test_a_store_that_replaces_what_it_may_not_is_told(
    base, tmp_path, monkeypatch, caplog
):
    put_new = objects.Place.put_new
    careless = lambda *given: put_new(*given) or True  # noqa: E731
    monkeypatch.setattr(objects.Place, "put_new", careless)
    with caplog.at_level("WARNING"):
        publish.publish(model(tmp_path / "a"), base)
    assert "two publishers at once could mix there" in caplog.text


def test_a_publisher_whose_claim_another_replaced_gives_way(
    base, tmp_path, monkeypatch
):
    put = objects.Place.put

    def replaced(self, folder, keys):
        put(self, folder, keys)
        self.write(fetching.UNFINISHED, b"another")

    monkeypatch.setattr(objects.Place, "put", replaced)
    with pytest.raises(UserError, match=f"Another publishes {base}/1 at the same time"):
        publish.publish(model(tmp_path / "a"), base)
    assert "1/saved_model.pb" not in stores.content(base)


def test_a_runs_own_model_is_found(base, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe_file(f"{base}/config.json", b"{}")
    with pytest.raises(UserError, match=f"{base} is no model, and holds no complete"):
        remote_models.newest(base)
    memory.put(model(tmp_path / "a"), f"{base}/model", recursive=True)
    path = remote_models.newest(base)
    assert fetching.origin(path) == f"{base}/model"


def test_names_of_other_tools_are_read_as_folders_are(base, tmp_path):
    memory = fsspec.filesystem("memory")
    for name in ("3", "003", "new", "٣"):
        folder = model(tmp_path / name, name)
        memory.put(folder, f"{base}/{name}", recursive=True)
    place = objects.Place(base)
    assert [*remote_models.versions(place, place.objects())] == [3]
    assert read(remote_models.newest(base)) == "003"
    assert publish.publish(str(tmp_path / "new"), base) == f"{base}/4"


def test_no_model_is_not_published(base, tmp_path):
    with pytest.raises(UserError, match="is no kfer model"):
        publish.publish(str(tmp_path), base)
    assert stores.content(base) == {}

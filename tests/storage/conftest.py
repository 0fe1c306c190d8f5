"""What is put and removed in a store of this process's memory."""

import fsspec
import pytest

from kfer.errors import StoreError
from kfer.storage import fetching, objects
from tests import stores


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(fetching.CACHE, str(tmp_path / "cache"))


@pytest.fixture
def memory():
    return fsspec.filesystem("memory")


@pytest.fixture
def place():
    return stores.memory_place()


@pytest.fixture
def log(monkeypatch):
    """What is put and removed, in order; the puts named in log.fails raise."""

    class Log(list):
        fails = ()

    found, put, remove = Log(), objects.Place.put, objects.Place.remove

    def logged(self, folder, keys):
        for key in keys:
            if key in found.fails:
                raise StoreError(f"{self.name} can't be reached: no")
            put(self, folder, [key])
            found.append(f"+{key}")

    def removed(self, keys):
        remove(self, keys)
        found.extend(f"-{key}" for key in keys)

    monkeypatch.setattr(objects.Place, "put", logged)
    monkeypatch.setattr(objects.Place, "remove", removed)
    return found

"""Object stores for tests: fsspec's memory, and S3's API by moto in this process."""

import contextlib
import functools
import logging
import os
import uuid
from collections.abc import Iterator

import fsspec
import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "an-id",
    "AWS_SECRET_ACCESS_KEY": "a-very-secret-key",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def content(place: str) -> dict[str, bytes]:
    """Key below a place -> its bytes."""
    store, path = fsspec.core.url_to_fs(place)
    store.invalidate_cache()
    found = store.find(path)
    return {name[len(path) + 1 :]: store.cat_file(name) for name in found}


def put_files(folder: str, **texts: str) -> None:
    """Makes files whose names are keywords, '__' for a slash and '_' for a dot."""
    for name, text in texts.items():
        path = os.path.join(folder, name.replace("__", "/").replace("_", "."))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)


def memory_place() -> str:
    """A new place in this process's memory."""
    return f"memory://{uuid.uuid4().hex}/place"


@functools.cache
def _server() -> str:
    """The address of this process's S3; moto keeps one state for all its servers."""
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


@contextlib.contextmanager
def s3(bucket: str) -> Iterator[dict[str, str]]:
    """Makes a bucket; yields the environment that leads to it, which is set."""
    environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": _server()}
    with _set(environment):
        fsspec.filesystem("s3").mkdir(bucket)
        yield environment


@contextlib.contextmanager
def _set(environment: dict[str, str]) -> Iterator[None]:
    kept = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

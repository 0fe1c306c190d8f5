"""Object stores for tests: fsspec's memory, and S3's API by moto in this process."""

import contextlib
import logging
import os
import uuid
from collections.abc import Iterator

import fsspec

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


def memory_place() -> str:
    """A new place in this process's memory."""
    return f"memory://{uuid.uuid4().hex}/place"


@contextlib.contextmanager
def s3() -> Iterator[dict[str, str]]:
    """Serves S3's API; yields the environment that leads to it. A bucket 'faces' is
    there."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    try:
        with _set(environment):
            fsspec.filesystem("s3", skip_instance_cache=True).mkdir("faces")
            yield environment
    finally:
        server.stop()


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

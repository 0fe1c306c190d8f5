"""A server of this process on a free port, and one picture a call to it."""

import contextlib
import io
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import uvicorn
from PIL import Image

from examples import rest_client
from kfer.server import app, grpc_calls, running, service, versions
from kfer.server.options import ServerOptions
from tests import runs


@contextlib.contextmanager
def server(
    path: str, pages=None, grpc_port: int = 0, **fields: Any
) -> Iterator[tuple[str, Any]]:
    """A server of the model at `path`; its URL and its Service."""
    options = ServerOptions(**{"name": "faces", "poll_seconds": 0.05} | fields)
    made = service.Service(versions.Versions(path, options.name), options)
    listening = running.listen("127.0.0.1", 0)
    routes = pages(made) if pages else ()
    beside = [grpc_calls.listening(made, "127.0.0.1", grpc_port)] if grpc_port else []
    application = app.make(made, running.hosts("127.0.0.1"), routes, beside)
    config = uvicorn.Config(
        application, log_config=None, limit_concurrency=options.max_connections
    )
    found = uvicorn.Server(config)
    thread = threading.Thread(target=found.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        if grpc_port:
            until(lambda: found.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", made
    finally:
        found.should_exit = True
        thread.join()
        listening.close()


def ask(url: str, data: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """Status and body, which is parsed if it is JSON and text if it is UTF-8."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data, named)
    try:
        with urllib.request.urlopen(request, timeout=60) as found:
            status, body = found.status, found.read()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read()
    with contextlib.suppress(ValueError):
        return status, json.loads(body)
    with contextlib.suppress(UnicodeDecodeError):
        return status, body.decode()
    return status, body


def png(image, form="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, form, **options)
    return buffer.getvalue()


def body(*pictures):
    return json.dumps(rest_client.body(pictures)).encode()


def until(true, seconds: float = 60.0) -> None:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


class FakeModel:
    """Answers 10 times the first number of each picture."""

    version = 1
    size = runs.config().image_size
    targets = ()

    def __init__(self, fails_at: float | None = None):
        self.fails_at = fails_at
        self.sizes: list[int] = []

    def answer(self, images):
        self.sizes.append(len(images))
        first = images[:, 0, 0, 0]
        if self.fails_at in first.tolist():
            raise ValueError("the network stumbled")
        return {"out": first * 10}

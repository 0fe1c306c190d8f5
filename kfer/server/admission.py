"""What requests in progress may hold together, and how their bodies are read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from kfer.server.metrics import Metrics
from kfer.server.options import ServerOptions
from kfer.server.refusal import Refused, busy


class Admission:
    """Lets requests in while there is room.

    Args:
      options: the limits.
      metrics: gets what is held.
    """

    def __init__(self, options: ServerOptions, metrics: Metrics):
        self._options, self._metrics = options, metrics
        self._bytes = self._pictures = 0

    @contextlib.contextmanager
    def pictures(self, count: int) -> Iterator[None]:
        """Room for this many pictures while the block runs.

        Raises:
          Refused: 413 for too many in one request, 503 where others fill the queue.
        """
        if count > self._options.max_pictures:
            raise Refused(
                413, f"{count} pictures, at most {self._options.max_pictures} a request"
            )
        if self._pictures + count > self._options.max_queue:
            raise busy(f"{self._pictures} pictures wait already")
        self._pictures += count
        self._metrics.in_progress.set(self._pictures)
        try:
            yield
        finally:
            self._pictures -= count
            self._metrics.in_progress.set(self._pictures)

    @contextlib.contextmanager
    def held(self, count: int) -> Iterator[None]:
        """A request's bytes, which are in memory already, count while the block runs.

        Raises:
          Refused: 503, others hold too much.
        """
        if self._bytes + count > self._options.max_held_bytes:
            raise busy("Other requests fill the memory")
        self._hold(count)
        try:
            yield
        finally:
            self._hold(-count)

    @contextlib.asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request, whose bytes count while the block runs.

        Raises:
          Refused: 413 it is too large, 503 others hold too much, 400 it ends early.
        """
        parts: list[bytes] = []
        held = 0
        try:
            async for part in self._parts(request):
                held += len(part)
                self._hold(len(part))
                parts.append(part)
            yield b"".join(parts)
        finally:
            self._hold(-held)

    async def _parts(self, request: Request) -> AsyncIterator[bytes]:
        most = self._options.max_body_bytes
        size = 0
        refused = None
        try:
            async for part in request.stream():
                size += len(part)
                if size > most:
                    refused = Refused(413, f"The body has over {most} bytes, the most")
                elif self._bytes + len(part) > self._options.max_held_bytes:
                    refused = refused or busy("Other requests fill the memory")
                # A client reads no answer before it has sent all; what follows is
                # read and dropped, within the time of a request.
                if refused is None:
                    yield part
        except ClientDisconnect as error:
            raise Refused(400, "The body ends early") from error
        if refused is not None:
            raise refused

    def _hold(self, count: int) -> None:
        self._bytes += count
        self._metrics.held_bytes.set(self._bytes)


async def upload(request: Request, body: bytes) -> bytes:
    """The one picture of a form, or the body itself if it is no form.

    Raises:
      Refused: 400, the form is damaged or has no file or several.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return body

    async def stream() -> AsyncIterator[bytes]:
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=1, max_fields=16)
    # The body is in memory already: no copy of somebody's photo goes to the disk.
    parser.spool_max_size = len(body) + 1
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise Refused(400, f"The form can't be read: {error.message}") from error
    files = [value for _, value in form.multi_items() if not isinstance(value, str)]
    try:
        if len(files) != 1:
            raise Refused(400, f"The form has {len(files)} files, send one picture")
        return await files[0].read()
    finally:
        await asyncio.gather(*(file.close() for file in files))

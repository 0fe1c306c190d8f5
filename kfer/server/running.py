"""A server from its socket to its end."""

import os
import signal
import socket
from collections.abc import Sequence

import uvicorn
from absl import logging
from starlette.applications import Starlette

from kfer.errors import UserError
from kfer.server.options import ServerOptions

_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Args:
      host: name or address of this machine.
      port: 0 for a free one.

    Raises:
      UserError: the port is in use, or the address is not of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.create_server((host, port), family=family, backlog=1024)
        # asyncio does it only for sockets that name TCP as their protocol; without it
        # every answer waits 40 ms for an acknowledgement (Nagle). Accepted ones inherit
        # it.
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else str(error)
        raise UserError(
            f"Can't listen at {host}:{port} ({reason}); name another --port or --host"
        ) from error


def free_port(host: str, port: int) -> int:
    """A port that nobody listens at, for who makes its socket itself.

    Args:
      host, port: see `listen`, which also says what it raises.
    """
    with listen(host, port) as found:
        return found.getsockname()[1]


def hosts(host: str, more: Sequence[str] = ()) -> list[str]:
    """Names under which a server at `host` may be asked.

    One that listens on loopback alone answers to loopback's names: else any web page
    could read it by a name of its own that points there.
    """
    if more:
        return [*more, *_LOOPBACK]
    return [*_LOOPBACK] if host in _LOOPBACK else ["*"]


def run(app: Starlette, listening: socket.socket, options: ServerOptions) -> None:
    """Serves until SIGTERM or Ctrl-C, then lets requests end.

    Args:
      app: the application.
      listening: of `listen`.
      options: the limits.

    Raises:
      UserError: it could not start; the log says why.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        log_level="warning",
        limit_concurrency=options.max_connections,
        timeout_graceful_shutdown=int(options.stop_seconds),
        lifespan="on",
        server_header=False,
    )
    # uvicorn sends itself the signal again when it is done; by then all is well.
    kept = signal.signal(signal.SIGTERM, lambda *_: None)
    host, port = listening.getsockname()[:2]
    logging.info("Listening at http://%s:%d", host, port)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except SystemExit as error:
        raise UserError("It could not start; the lines above say why") from error
    finally:
        signal.signal(signal.SIGTERM, kept)
        listening.close()
    logging.info("Stopped")

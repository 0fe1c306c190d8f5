import contextlib
import socket

import pytest
from starlette import applications

from kfer.errors import UserError
from kfer.server import running
from kfer.server.options import ServerOptions


def test_a_port_in_use_is_one_line():
    with running.listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(UserError) as caught:
            running.listen("127.0.0.1", port)
    text = f"Can't listen at 127.0.0.1:{port} (Address already in use); name another"
    assert str(caught.value).startswith(text)


def test_an_address_that_is_not_here_is_one_line():
    with pytest.raises(UserError, match=r"Can't listen at 203\.0\.113\.1:0 \(Cannot "):
        running.listen("203.0.113.1", 0)
    with pytest.raises(UserError, match=r"Can't listen at no\.invalid:0 \("):
        running.listen("no.invalid", 0)


def test_a_server_for_this_machine_answers_to_its_names_alone():
    assert running.hosts("127.0.0.1") == running.hosts("localhost")
    assert "*" not in running.hosts("127.0.0.1")
    assert "localhost" in running.hosts("127.0.0.1")
    assert running.hosts("0.0.0.0") == ["*"]
    named = running.hosts("0.0.0.0", ["faces.example"])
    assert "faces.example" in named and "127.0.0.1" in named and "*" not in named


def test_answers_leave_at_once():
    """Accepted sockets inherit it; without it each answer takes 40 ms more."""
    with running.listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listening.accept()
            with accepted:
                level = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert level


def test_a_free_port_is_free_and_a_taken_one_is_said():
    port = running.free_port("127.0.0.1", 0)
    with running.listen("127.0.0.1", port):
        with pytest.raises(UserError, match=f"Can't listen at 127.0.0.1:{port}"):
            running.free_port("127.0.0.1", port)


def test_what_cannot_start_ends_with_a_line():
    @contextlib.asynccontextmanager
    async def lifespan(app):
        raise RuntimeError("no")
        yield

    app = applications.Starlette(lifespan=lifespan)
    with pytest.raises(UserError, match="could not start"):
        running.run(app, running.listen("127.0.0.1", 0), ServerOptions())

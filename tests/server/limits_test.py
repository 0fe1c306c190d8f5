"""What is refused, each with one clear answer, by a real server with small limits."""

import io
import threading

import numpy as np
import pytest
from PIL import Image
from skimage import data

from tests import runs
from tests.server.live import ask, body, png, server


@pytest.fixture(scope="module")
def strict():
    """A server with small limits."""
    limits = {
        "max_body_bytes": 20_000,
        "max_pixels": 10_000,
        "max_pictures": 3,
        "max_queue": 4,
    }
    with server(runs.model(), **limits) as found:
        yield found


@pytest.fixture(scope="module")
def roomy():
    with server(runs.model()) as (found, _):
        yield found


def animated():
    frames = [Image.fromarray(np.full((16, 16, 3), 9 * n, np.uint8)) for n in (1, 9)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "zero bytes"),
        (b"no picture", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (png(data.coffee())[:5000], "truncated or corrupt image"),
        (png(data.coffee(), "JPEG")[:9000], "truncated or corrupt image"),
        (animated(), "animated image: 2 frames"),
        (png(np.zeros((4, 4, 3), np.uint8)), "image too small"),
    ],
)
def test_what_is_no_picture_is_said(roomy, content, text):
    status, found = ask(f"{roomy}/faces", content)
    assert status == 400 and found["error"].startswith(text)


def test_a_picture_that_unpacks_to_too_much_is_not_decoded(strict):
    url, _ = strict
    bomb = png(np.zeros((200, 200), np.uint8))
    assert len(bomb) < 1000
    status, found = ask(f"{url}/faces", bomb)
    assert status == 400 and "200x200 pixels, at most 10000" in found["error"]
    status, found = ask(f"{url}/v1/models/faces:predict", body(bomb))
    (row,) = found["predictions"]
    assert status == 200 and "200x200 pixels, at most 10000" in row["status"]


def test_a_body_that_is_too_large_gets_an_answer(strict):
    url, service = strict
    for _ in range(2):
        status, found = ask(f"{url}/faces", b"x" * 300_000)
        assert status == 413 and "over 20000 bytes" in found["error"]
    assert "kfer_held_bytes 0.0" in service.metrics.text().decode()


def test_too_many_pictures(strict):
    url, _ = strict
    status, found = ask(f"{url}/v1/models/faces:predict", body(*runs.encoded()[:4]))
    assert (status, found["error"]) == (413, "4 pictures, at most 3 a request")


def test_a_full_queue_says_come_again(strict):
    url, service = strict
    with service.admission.pictures(3):
        call = f"{url}/v1/models/faces:predict"
        assert ask(call, body(runs.encoded()[0]))[0] == 200
        status, found = ask(call, body(*runs.encoded()[:2]))
    assert status == 503
    assert found["error"] == "3 pictures wait already; ask again in a second"


def test_whole_pictures_where_the_framing_is_none(strict):
    url, _ = strict
    status, found = ask(f"{url}/faces", runs.encoded()[3])
    assert status == 200 and "faces" not in found
    np.testing.assert_allclose(
        list(found["picture"]["expression"]["probabilities"].values()),
        runs.expected()["expression"][3],
        atol=1e-4,
    )


def test_an_answer_that_takes_too_long(monkeypatch):
    with server(runs.model(), request_seconds=0.2) as (url, service):
        model = service.versions.current
        waits = threading.Event()

        def slow(images):
            waits.wait(20)
            return {"expression": images[:, 0, 0]}

        monkeypatch.setattr(model, "answer", slow)
        call = f"{url}/v1/models/faces:predict"
        status, found = ask(call, body(runs.encoded()[0]))
        waits.set()
        assert (status, found["error"]) == (504, "No answer within 0.2 seconds")

"""Room for bytes and pictures, given back whatever happens."""

import asyncio

import pytest

from kfer.server.admission import Admission
from kfer.server.metrics import Metrics
from kfer.server.options import ServerOptions
from kfer.server.refusal import Refused


class FakeRequest:
    def __init__(self, *parts):
        self.parts = parts

    async def stream(self):
        for part in self.parts:
            yield part


def make(**fields):
    metrics = Metrics()
    return Admission(ServerOptions(**fields), metrics), metrics


def held(metrics, name="kfer_held_bytes"):
    return metrics.registry.get_sample_value(name)


def test_bytes_count_while_a_request_is_answered():
    admission, metrics = make()

    async def go():
        async with admission.body(FakeRequest(b"abc", b"de")) as body:
            assert (body, held(metrics)) == (b"abcde", 5)

    asyncio.run(go())
    assert held(metrics) == 0


def test_bytes_are_given_back_when_answering_fails():
    admission, metrics = make(max_body_bytes=4)

    async def fails():
        async with admission.body(FakeRequest(b"abc")):
            raise ValueError("no answer")

    async def too_large():
        async with admission.body(FakeRequest(b"abc", b"de", b"f")):
            raise AssertionError("it was let in")

    with pytest.raises(ValueError, match="no answer"):
        asyncio.run(fails())
    with pytest.raises(Refused, match="over 4 bytes") as caught:
        asyncio.run(too_large())
    assert (caught.value.status, held(metrics)) == (413, 0)


def test_what_others_hold_counts():
    admission, metrics = make(max_body_bytes=4, max_held_bytes=6)

    async def go():
        async with admission.body(FakeRequest(b"abcd")):
            async with admission.body(FakeRequest(b"ab")):
                assert held(metrics) == 6
            with pytest.raises(Refused, match="fill the memory") as caught:
                async with admission.body(FakeRequest(b"ab", b"c")):
                    raise AssertionError("it was let in")
            assert (caught.value.status, held(metrics)) == (503, 4)

    asyncio.run(go())
    assert held(metrics) == 0


def test_pictures_have_room_of_their_own():
    admission, metrics = make(max_pictures=3, max_queue=4)
    with admission.pictures(3):
        assert held(metrics, "kfer_pictures_in_progress") == 3
        with pytest.raises(Refused, match="3 pictures wait already") as caught:
            with admission.pictures(2):
                raise AssertionError("they were let in")
        assert caught.value.status == 503
        with admission.pictures(1):
            pass
    with pytest.raises(Refused, match="4 pictures, at most 3 a request"):
        with admission.pictures(4):
            raise AssertionError("they were let in")
    assert held(metrics, "kfer_pictures_in_progress") == 0

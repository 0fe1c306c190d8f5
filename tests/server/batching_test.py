"""Who waits is answered with others, and by nobody's fault with an error."""

import asyncio

import numpy as np
import pytest

from kfer.server.batching import Batcher
from kfer.server.metrics import Metrics
from tests.server.live import FakeModel


def image(value):
    return np.full((2, 2, 3), value, np.float32)


def run(model, values, max_batch=4):
    """What each picture gets, in order: its number, or its exception."""

    async def all_at_once():
        batcher = Batcher(max_batch, Metrics())
        running = asyncio.create_task(batcher.run())
        asked = [
            batcher.answer(m, image(v)) for m, v in zip(model, values, strict=True)
        ]
        found = await asyncio.gather(*asked, return_exceptions=True)
        running.cancel()
        batcher.close()
        return found

    return asyncio.run(asyncio.wait_for(all_at_once(), 20))


def test_each_gets_its_own_row_in_batches_of_at_most_four():
    model = FakeModel()
    found = run([model] * 10, range(10))
    assert [float(row["out"]) for row in found] == [10.0 * v for v in range(10)]
    assert sum(model.sizes) == 10 and max(model.sizes) == 4


def test_a_picture_that_the_network_stumbles_on_fails_alone():
    model = FakeModel(fails_at=2.0)
    found = run([model] * 4, range(4))
    assert isinstance(found[2], ValueError)
    assert [float(found[i]["out"]) for i in (0, 1, 3)] == [0.0, 10.0, 30.0]


def test_a_batch_holds_one_version():
    old, new = FakeModel(), FakeModel()
    found = run([old, old, new, old], range(4))
    assert [float(row["out"]) for row in found] == [0.0, 10.0, 20.0, 30.0]
    assert (old.sizes, new.sizes) == ([2, 1], [1])


def test_who_has_gone_is_not_answered():
    model = FakeModel()

    async def go():
        batcher = Batcher(4, Metrics())
        gone = asyncio.create_task(batcher.answer(model, image(1)))
        stays = asyncio.create_task(batcher.answer(model, image(2)))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        running = asyncio.create_task(batcher.run())
        found = await stays
        running.cancel()
        batcher.close()
        return float(found["out"])

    assert asyncio.run(asyncio.wait_for(go(), 20)) == 20.0
    assert model.sizes == [1]


def test_the_sizes_are_counted():
    metrics = Metrics()

    async def go():
        batcher = Batcher(4, metrics)
        running = asyncio.create_task(batcher.run())
        model = FakeModel()
        await asyncio.gather(*(batcher.answer(model, image(v)) for v in range(3)))
        running.cancel()
        batcher.close()

    asyncio.run(go())
    assert "kfer_batch_pictures_sum 3.0" in metrics.text().decode()


@pytest.mark.parametrize("count", [1, 9])
def test_nothing_waits_for_ever(count):
    assert len(run([FakeModel()] * count, range(count), max_batch=1)) == count

"""Pictures of many requests through the network at once."""

import asyncio
import collections
from concurrent import futures
from typing import NamedTuple

import numpy as np

from kfer.server.loaded import LoadedModel
from kfer.server.metrics import Metrics


class _Waiting(NamedTuple):
    model: LoadedModel
    image: np.ndarray
    answer: asyncio.Future


class Batcher:
    """Answers for what waits whenever the network is free.

    Nobody waits for others to come: a lone picture is a batch of one, and while the
    network works the next batch gathers. A batch holds pictures of one version.

    Args:
      max_batch: pictures of one batch.
      metrics: gets the sizes of batches.
    """

    def __init__(self, max_batch: int, metrics: Metrics):
        self._max_batch, self._metrics = max_batch, metrics
        self._waiting: collections.deque[_Waiting] = collections.deque()
        self._some = asyncio.Event()
        # One thread: TensorFlow spreads a batch over the cores by itself.
        self._thread = futures.ThreadPoolExecutor(1, "network")

    async def answer(
        self, model: LoadedModel, image: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Output name -> this picture's row.

        Args:
          model: the version that answers.
          image: float32 [S, S, 3] RGB in [-1, 1].
        """
        found = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(model, image, found))
        self._some.set()
        return await found

    async def run(self) -> None:
        """Answers until it is cancelled."""
        while True:
            await self._some.wait()
            if batch := self._next_batch():
                await self._answer(batch)
            if not self._waiting:
                self._some.clear()

    def close(self) -> None:
        """Frees the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < self._max_batch:
            if batch and self._waiting[0].model is not batch[0].model:
                break
            one = self._waiting.popleft()
            # Whoever asked may have been told that it took too long.
            if not one.answer.done():
                batch.append(one)
        return batch

    async def _answer(self, batch: list[_Waiting]) -> None:
        self._metrics.batches.observe(len(batch))
        images = np.stack([one.image for one in batch])
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._thread, batch[0].model.answer, images
            )
        except Exception as error:
            await self._answer_apart(batch, error)
            return
        for row, one in enumerate(batch):
            if not one.answer.done():
                one.answer.set_result({name: v[row] for name, v in found.items()})

    async def _answer_apart(self, batch: list[_Waiting], error: Exception) -> None:
        """One picture must not fail its neighbours, whatever failed."""
        if len(batch) > 1:
            for one in batch:
                await self._answer([one])
        elif not batch[0].answer.done():
            batch[0].answer.set_exception(error)

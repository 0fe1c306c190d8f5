"""What a server does with pictures, apart from HTTP."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.faces import framing
from kfer.faces.detectors import Detector
from kfer.faces.face import Face
from kfer.images import decode
from kfer.server import rest
from kfer.server.admission import Admission
from kfer.server.batching import Batcher
from kfer.server.loaded import LoadedModel
from kfer.server.metrics import Metrics
from kfer.server.options import ServerOptions
from kfer.server.refusal import Refused
from kfer.server.versions import Versions
from kfer.serving import faces, model_folder, predict

ANSWERED = "answered"


class Service:
    """Pictures of many clients, each decoded on its own, answered together.

    Args:
      versions: of the model.
      options: the limits.
    """

    def __init__(self, versions: Versions, options: ServerOptions):
        self.versions, self.options = versions, options
        self.metrics = Metrics()
        self.metrics.version.set_function(self._version)
        self.admission = Admission(options, self.metrics)
        self.batcher = Batcher(options.max_batch, self.metrics)
        self._decoding = futures.ThreadPoolExecutor(options.decode_threads, "decode")
        # Detectors keep state between calls: one thread has the one detector.
        self._detecting = futures.ThreadPoolExecutor(1, "detect")
        self._loading = futures.ThreadPoolExecutor(1, "load")
        self._detectors: dict[str, Detector] = {}

    async def run(self) -> None:
        """Answers, and looks for new versions, until it is cancelled."""
        batching = asyncio.create_task(self.batcher.run())
        try:
            while True:
                await asyncio.sleep(self.options.poll_seconds)
                before = self.versions.failures
                await self.in_thread(self._loading, self.versions.refresh)
                self.metrics.load_failures.inc(self.versions.failures - before)
        finally:
            batching.cancel()

    def close(self) -> None:
        """Frees the threads."""
        self.batcher.close()
        for pool in (self._decoding, self._detecting, self._loading):
            pool.shutdown(wait=False, cancel_futures=True)

    def _version(self) -> int:
        now = self.versions.current
        return now.version if now else 0

    async def in_thread(
        self, pool: futures.Executor, function: Callable[..., Any], *args: Any
    ) -> Any:
        """A function's result from a thread, while others are served."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, function, *args)

    def model(self, version: int | None = None) -> LoadedModel:
        """The version that answers.

        Raises:
          Refused: 503 if there is none, 404 if another is asked for.
        """
        if found := self.versions.get(version):
            return found
        name = self.versions.name
        if self.versions.current is None:
            raise Refused(
                503,
                f"Model {name} has no version left; it answers again when one is "
                "published",
            )
        now = self.versions.current.version
        raise Refused(
            404,
            f"Servable not found for request: Specific({name}, {version}); version "
            f"{now} answers",
        )

    async def predict(self, body: bytes, version: int | None) -> dict[str, Any]:
        """Answers a body of TensorFlow Serving's `predict`.

        Raises:
          Refused: the body is none, or one of its pictures can't be answered for and
            the model is older than its status.
        """
        parse = functools.partial(rest.parse, body)
        request, rows = await self.answers(self.model(version), parse)
        return rest.answer(request, rows)

    async def answers(
        self, model: LoadedModel, parse: Callable[[], rest.Request]
    ) -> tuple[rest.Request, list[dict[str, Any]]]:
        """What was asked, and output name -> value for each of its pictures.

        Args:
          model: the version that answers.
          parse: reads the request; runs in a thread.

        Raises:
          Refused: see `predict`.
        """
        request = await self.in_thread(self._decoding, parse)
        with self.admission.pictures(len(request.rows)):
            images, bad = await self._prepare(model, request)
            answers = [self.batcher.answer(model, image) for image in images]
            rows = await asyncio.gather(*answers)
        for index, error in bad.items():
            rows[index][model_folder.STATUS] = str(error)
        self.metrics.pictures.labels(ANSWERED).inc(len(rows) - len(bad))
        return request, rows

    async def _prepare(
        self, model: LoadedModel, request: rest.Request
    ) -> tuple[list[np.ndarray], dict[int, decode.BadImage]]:
        """What the network sees, and which rows are no picture: not a number for it."""

        def one(index: int) -> np.ndarray | decode.BadImage:
            row = request.rows[index]
            if request.signature == "predict_images":
                return rest.pixels(row, index, model.size)
            try:
                return model.prepare(row, self.options.picture_limits)
            except decode.BadImage as error:
                return error

        indices = range(len(request.rows))
        found = await asyncio.gather(
            *(self.in_thread(self._decoding, one, index) for index in indices)
        )
        bad = {i: e for i, e in enumerate(found) if isinstance(e, decode.BadImage)}
        self._count_bad(list(bad.values()))
        if bad and not model.has_status:
            reasons = "; ".join(f"{index}: {error}" for index, error in bad.items())
            raise Refused(
                400,
                f"image_bytes holds no whole picture at index {list(bad)}: "
                f"{reasons[:1000]}",
            )
        none = np.full((model.size, model.size, 3), np.nan, np.float32)
        return [none if i in bad else image for i, image in enumerate(found)], bad

    def _count_bad(self, errors: Sequence[decode.BadImage]) -> None:
        for error in errors:
            self.metrics.pictures.labels(error.reason).inc()

    async def faces(self, data: bytes) -> dict[str, Any]:
        """Answers for every face of one picture, or for the picture as a whole.

        Returns:
          'model' (name, version), 'framing', 'width' and 'height' of the upright
          picture; and 'faces', rows as of kfer.serving.faces without 'path', largest
          first; or, with the framing `none`, 'picture', the answers by target.

        Raises:
          Refused: 400, it is no picture, or beyond the limits.
        """
        model = self.model()
        limits = self.options.picture_limits
        with self.admission.pictures(1):
            try:
                answer = await self._faces(model, data, limits)
            except decode.BadImage as error:
                self._count_bad([error])
                raise Refused(400, str(error)) from error
            except UserError as error:
                # The model's folder or the installation lacks what faces need.
                raise Refused(500, str(error)) from error
        self.metrics.pictures.labels(ANSWERED).inc()
        return answer

    async def _faces(
        self, model: LoadedModel, data: bytes, limits: decode.Limits
    ) -> dict[str, Any]:
        kind, detector = model.framing(self.options.framing, self.options.detector)
        image = await self.in_thread(self._decoding, decode.decode, data, limits)
        height, width = image.shape[:2]
        answer = {
            "model": {"name": self.versions.name, "version": model.version},
            "framing": kind,
            "width": width,
            "height": height,
        }
        if kind == framing.NONE:
            whole = await self.in_thread(self._decoding, model.prepare, data, limits)
            return answer | {"picture": await self._named(model, whole)}
        found = await self.in_thread(self._detecting, self._detect, detector, image)
        rows, crops = cut(image, found, kind, model.size)
        named = await asyncio.gather(
            *(self._named(model, _scaled(crop)) for crop in crops.values())
        )
        for index, said in zip(crops, named, strict=True):
            rows[index] |= said
        note = {} if rows else {"note": faces.NO_FACE}
        return answer | {"faces": rows} | note

    def _detect(self, name: str, image: np.ndarray) -> list[Face]:
        """In the thread of the detectors; a new version may want another one."""
        if name not in self._detectors:
            self._detectors[name] = Detector(name)
        return self._detectors[name].detect(image)

    async def _named(self, model: LoadedModel, image: np.ndarray) -> dict[str, Any]:
        return predict.named(await self.batcher.answer(model, image), model.targets)


def cut(
    image: np.ndarray, found: Sequence[Face], kind: str, size: int
) -> tuple[list[dict[str, Any]], dict[int, np.ndarray]]:
    """The faces of a picture as the model wants them.

    Args:
      image: uint8 [H, W, 3] RGB.
      found: its faces.
      kind: a framing of kfer.faces.framing that has crops.
      size: side of a crop in pixels.

    Returns:
      A row a face: 'face' (its number), 'box', 'score', and 'error' where it can't be
      cut; and by number its crop, uint8 [size, size, 3].
    """
    rows: list[dict[str, Any]] = []
    crops: dict[int, np.ndarray] = {}
    for index, face in enumerate(found):
        rows.append({"face": index} | faces.place_of(face))
        crop = framing.crop(image, face, kind, size)
        if crop is None:
            rows[index]["error"] = faces.NO_EYES
        else:
            crops[index] = crop
    return rows, crops


def _scaled(crop: np.ndarray) -> np.ndarray:
    """uint8 0..255 as float32 in [-1, 1], as kfer.data.augment.normalise."""
    return crop.astype(np.float32) / np.float32(127.5) - np.float32(1)

"""Answers of an exported model for the frames of a video or camera."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from kfer.errors import UserError
from kfer.faces import framing as framing_lib
from kfer.faces.detectors import DEFAULT
from kfer.faces.face import Face
from kfer.faces.tracking import Tracker
from kfer.images import decode
from kfer.serving import faces, predict
from kfer.serving.smoothing import Smoother
from kfer.serving.video import BadVideo, Footage, Frame

# Frames that wait together for the model's answers; a camera's don't wait.
FRAMES = 8
# The whole frame, where no face is looked for; no face has this number.
_WHOLE = -1


@dataclasses.dataclass(frozen=True)
class Pace:
    """How a video is gone through.

    Attributes:
      every: n-th frame is looked at.
      seconds: at most, 0 for all.
      half_life: of the faces' averages in seconds, see kfer.serving.smoothing.
    """

    every: int = 1
    seconds: float = 0.0
    half_life: float = 0.5

    def __post_init__(self):
        if self.every < 1:
            raise UserError(f"every {self.every} is below 1")
        if self.seconds < 0 or self.half_life < 0:
            raise UserError(f"seconds {min(self.seconds, self.half_life)} is below 0")


class _Waiting(NamedTuple):
    """A frame whose faces have no answers yet."""

    frame: Frame
    faces: list[Face]
    ids: list[int]
    alive: frozenset[int]


class VideoPredictor:
    """Follows the faces of a video and answers for each in each frame.

    At most FRAMES pictures are in memory, whatever the length of the video.

    Args:
      predictor: of the model.
      framing: of kfer.faces.framing; with NONE each frame has one answer.
      detector: name of a detector of faces.
      pace: see Pace.

    Raises:
      UserError: there is no such detector.
    """

    def __init__(
        self,
        predictor: predict.Predictor,
        framing: str,
        detector: str = DEFAULT,
        pace: Pace = Pace(),
    ):
        self._predictor = predictor
        self._pace = pace
        self._faces = None
        if framing != framing_lib.NONE:
            self._faces = faces.FacePredictor(predictor, framing, detector)

    def predict(self, footage: Footage) -> Iterator[tuple[Frame | None, list[dict]]]:
        """Each frame that is looked at, with its rows.

        Args:
          footage: read to its end.

        Yields:
          A frame, and a row for each of its faces, largest first: 'path', 'frame' (its
          number, from 0), 'time' in seconds, 'face' (the same number as long as the
          face is followed), 'box', 'score', and smoothed answers, or 'error'. A frame
          without a face has one row with 'no_face'. At the end of a video that can't
          be read to its end None, and a row of 'path' and 'error'.
        """
        tracker = Tracker()
        smoother = Smoother(self._predictor.targets, self._pace.half_life)
        waiting: list[_Waiting] = []
        most = 1 if footage.live else FRAMES
        error = ""
        frames = footage.frames(self._pace.every, self._pace.seconds)
        while True:
            try:
                frame = next(frames, None)
            except BadVideo as found:
                frame, error = None, str(found)
            if frame is not None:
                seen = self._faces.detect(frame.image) if self._faces else []
                ids = tracker.update(seen)
                waiting.append(_Waiting(frame, seen, ids, tracker.alive))
            if frame is None or len(waiting) == most:
                yield from self._answered(footage.name, waiting, smoother)
                waiting = []
            if frame is None:
                break
        if error:
            yield None, [{"path": footage.name, "error": error}]

    def _answered(
        self, name: str, waiting: list[_Waiting], smoother: Smoother
    ) -> Iterator[tuple[Frame, list[dict]]]:
        if self._faces is None:
            answers = self._whole([w.frame.image for w in waiting])
        else:
            answers = self._faces.answers([(w.frame.image, w.faces) for w in waiting])
        for item, found in zip(waiting, answers, strict=True):
            place = {
                "path": name,
                "frame": item.frame.index,
                "time": round(item.frame.seconds, 3),
            }
            rows = self._rows(item, found, smoother)
            smoother.keep({_WHOLE, *item.alive})
            yield item.frame, [place | row for row in rows]

    def _rows(
        self, item: _Waiting, found: list[dict[str, Any]], smoother: Smoother
    ) -> list[dict]:
        at = item.frame.seconds
        if self._faces is None:
            return [smoother.add(_WHOLE, at, found[0])]
        if not found:
            return [{"no_face": faces.NO_FACE}]
        rows = []
        for face, track, answer in zip(item.faces, item.ids, found, strict=True):
            if "error" not in answer:
                answer = smoother.add(track, at, answer)
            rows.append({"face": track} | faces.place_of(face) | answer)
        return rows

    def _whole(self, images: list[np.ndarray]) -> list[list[dict[str, Any]]]:
        pictures = {i: decode.encode(image, "png") for i, image in enumerate(images)}
        return [[answer] for answer in self._predictor.answers(pictures).values()]

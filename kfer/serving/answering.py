"""Answers for whatever is named: pictures, videos, a camera; drawn where asked for."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kfer.faces import framing as framing_lib
from kfer.images import decode
from kfer.serving import annotate, answer_rules, predict, video
from kfer.serving.answer_rules import Rules
from kfer.serving.faces import FacePredictor
from kfer.serving.video import Footage
from kfer.serving.video_predict import Pace, VideoPredictor

Rows = list[dict[str, Any]]

PACE, RULES = Pace(), Rules()


class Answering:
    """Goes through files or a camera, some rows at a time.

    Args:
      predictor: of the model.
      framing, detector: see kfer.serving.faces.framing_of.
      pace: of videos.
      rules: what is told of an answer.
      gallery: where everything is drawn, or None.

    Raises:
      UserError: there is no such detector, or the model can't answer as the rules ask.
    """

    def __init__(
        self,
        predictor: predict.Predictor,
        framing: str,
        detector: str,
        pace: Pace = PACE,
        rules: Rules = RULES,
        gallery: annotate.Gallery | None = None,
    ):
        self.targets = answer_rules.targets(predictor.targets, rules)
        self._predictor = predictor
        self._faces = None
        if framing != framing_lib.NONE:
            self._faces = FacePredictor(predictor, framing, detector)
        self._video = VideoPredictor(predictor, framing, detector, pace)
        self._pace = pace
        self._rules = rules
        self._gallery = gallery

    def files(self, paths: Sequence[str]) -> Iterator[Rows]:
        """Rows of pictures and videos in the order of the paths.

        Args:
          paths: see kfer.serving.predict.expand for folders.

        Yields:
          Rows of kfer.serving.faces, video_predict or predict, told by the rules.
        """
        for moving, part in itertools.groupby(paths, video.is_video):
            if moving:
                for path in part:
                    yield from self._file(path)
            else:
                yield from self._pictures(list(part))

    def _file(self, path: str) -> Iterator[Rows]:
        try:
            footage = video.open_file(path)
        except video.BadVideo as error:
            yield [{"path": path, "error": str(error)}]
            return
        yield from self.footage(footage)

    def footage(self, footage: Footage) -> Iterator[Rows]:
        """Rows of a video or a camera, those of a frame at a time.

        A drawn video has the frames that were looked at, at the speed they were seen.
        """
        with contextlib.ExitStack() as stack:
            add = None
            for frame, rows in self._video.predict(footage):
                told = self._told(rows)
                if self._gallery and frame:
                    if add is None:
                        place = self._gallery.place(footage.name)
                        fps = footage.fps / self._pace.every
                        add = stack.enter_context(annotate.video_file(place, fps))
                    add(annotate.draw(frame.image, told, self.targets))
                yield told

    def _pictures(self, paths: list[str]) -> Iterator[Rows]:
        for image, rows in self._shown(paths):
            told = self._told(rows)
            if self._gallery and image is not None:
                drawn = annotate.draw(image, told, self.targets)
                self._gallery.picture(told[0]["path"], drawn)
            yield told

    def _shown(self, paths: list[str]) -> Iterator[tuple[np.ndarray | None, Rows]]:
        if self._faces is not None:
            yield from self._faces.pictures(paths)
            return
        size = self._predictor.batch_size
        for start in range(0, len(paths), size):
            for row in self._predictor.predict(paths[start : start + size]):
                yield self._image(row), [row]

    def _image(self, row: dict[str, Any]) -> np.ndarray | None:
        """The picture of a row, where it is needed to draw."""
        if self._gallery is None or "error" in row:
            return None
        return decode.decode(predict.read_picture(row["path"]))

    def _told(self, rows: Rows) -> Rows:
        return answer_rules.apply(rows, self.targets, self._rules)

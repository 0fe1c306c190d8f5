"""Answers of an exported model for every face of picture files."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.faces import framing as framing_lib
from kfer.faces import recorded
from kfer.faces.detectors import DEFAULT, Detector
from kfer.faces.face import Face
from kfer.images import decode
from kfer.serving import model_folder, predict

NO_FACE = "no face found"
NO_EYES = "no eyes found, so it can't be aligned"


def framing_of(
    predictor: predict.Predictor, kind: str | None = None, detector: str | None = None
) -> tuple[str, str]:
    """(framing, detector): those asked for, else those of the model's training data.

    Raises:
      UserError: the model's folder names one that is unknown, or a detector is asked
        for and no face will be looked for.
    """
    where = f"{predictor.model_dir}/assets/{model_folder.LABELS}"
    found = recorded.chosen(predictor.description, where, kind, detector)
    if detector and found[0] == framing_lib.NONE:
        raise UserError(
            f"Detector {detector} has nothing to do: with framing none no face is "
            "looked for; leave it out, or name the framing as_given or landmarks"
        )
    return found


class FacePredictor:
    """Finds the faces of pictures and answers for each.

    Args:
      predictor: of the model.
      framing: how the model's training pictures showed faces, AS_GIVEN or LANDMARKS of
        kfer.faces.framing.
      detector: name of a detector of faces.

    Raises:
      UserError: there is no such detector, or the framing has no faces.
    """

    def __init__(
        self, predictor: predict.Predictor, framing: str, detector: str = DEFAULT
    ):
        allowed = (framing_lib.AS_GIVEN, framing_lib.LANDMARKS)
        if framing not in allowed:
            raise UserError(f"Framing {framing!r} has no faces; {', '.join(allowed)}")
        self._predictor = predictor
        self._framing = framing
        self._detector = Detector(detector)

    def detect(self, image: np.ndarray) -> list[Face]:
        """The faces of a picture, uint8 [H, W, 3] RGB, largest first."""
        return self._detector.detect(image)

    def predict(self, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The rows of `pictures`, one after the other."""
        for _, rows in self.pictures(paths):
            yield from rows

    def pictures(
        self, paths: Sequence[str]
    ) -> Iterator[tuple[np.ndarray | None, list[dict[str, Any]]]]:
        """Each picture with answers for its faces, one picture in memory at a time.

        Args:
          paths: picture files; see kfer.serving.predict.expand for folders.

        Yields:
          The upright picture, uint8 [H, W, 3] RGB, and a row a face, largest first:
          'path', 'face' (its number in the picture, from 0), 'box' (x, y, width, height
          in pixels of the upright picture), 'score', and the answers of
          Predictor.predict, or 'error'. A picture without a face has one row: 'path'
          and 'no_face', NO_FACE. One that can't be read is None, with 'path' and
          'error'.
        """
        for path in paths:
            try:
                image = decode.decode(predict.read_picture(path))
            except decode.BadImage as error:
                yield None, [{"path": path, "error": str(error)}]
                continue
            found = self.detect(image)
            (answers,) = self.answers([(image, found)])
            rows = [
                {"path": path, "face": index} | place_of(face) | answer
                for index, (face, answer) in enumerate(zip(found, answers, strict=True))
            ]
            yield image, rows or [{"path": path, "no_face": NO_FACE}]

    def answers(
        self, pictures: Sequence[tuple[np.ndarray, Sequence[Face]]]
    ) -> list[list[dict[str, Any]]]:
        """Answers, or errors, for the faces of several pictures, in their order."""
        found: list[list[dict[str, Any]]] = []
        crops: list[np.ndarray] = []
        wanted: list[dict[str, Any]] = []
        size = self._predictor.description["image_size"]
        for image, seen in pictures:
            found.append([{} for _ in seen])
            for face, row in zip(seen, found[-1], strict=True):
                crop = framing_lib.crop(image, face, self._framing, size)
                if crop is None:
                    row["error"] = NO_EYES
                else:
                    crops.append(crop)
                    wanted.append(row)
        for row, answer in zip(wanted, self._predictor.crops(crops), strict=True):
            row |= answer
        return found


def place_of(face: Face) -> dict[str, Any]:
    """'box', in tenths of a pixel, and 'score' of a face."""
    return {"box": [round(value, 1) for value in face.box], "score": face.score}

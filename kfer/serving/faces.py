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
      UserError: the model's folder names one that is unknown.
    """
    if kind and detector:
        return kind, detector
    where = f"{predictor.model_dir}/assets/{model_folder.LABELS}"
    own, by = recorded.read(predictor.description, where)
    return kind or own, detector or by


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

    def predict(self, paths: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Answers for every face, one picture in memory at a time.

        Args:
          paths: picture files; see kfer.serving.predict.expand for folders.

        Yields:
          One row a face, in the order of the paths, largest face first: 'path', 'face'
          (its number in the picture, from 0), 'box' (x, y, width, height in pixels of
          the upright picture), 'score', and the answers of Predictor.predict, or
          'error'. A picture without a face is one row: 'path' and 'no_face', NO_FACE.
          One that can't be read is 'path' and 'error'.
        """
        for path in paths:
            try:
                image = decode.decode(predict.read_picture(path))
            except decode.BadImage as error:
                yield {"path": path, "error": str(error)}
                continue
            found = self._detector.detect(image)
            if not found:
                yield {"path": path, "no_face": NO_FACE}
            yield from self._rows(path, image, found)

    def _rows(self, path: str, image: np.ndarray, found: list[Face]) -> list[dict]:
        rows: list[dict] = []
        crops: dict[int, np.ndarray] = {}
        size = self._predictor.description["image_size"]
        for index, face in enumerate(found):
            box = [round(value, 1) for value in face.box]
            rows.append({"path": path, "face": index, "box": box, "score": face.score})
            crop = framing_lib.crop(image, face, self._framing, size)
            if crop is None:
                rows[index]["error"] = NO_EYES
            else:
                crops[index] = crop
        answers = self._predictor.crops(list(crops.values()))
        for index, answer in zip(crops, answers, strict=True):
            rows[index] |= answer
        return rows

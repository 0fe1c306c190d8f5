"""Faces and eyes by the cascades that OpenCV ships: upright, roughly frontal ones."""

import os

import cv2
import numpy as np

from kfer.images.alignment import Point

Box = tuple[int, int, int, int]

FACE_CASCADE = "haarcascade_frontalface_default.xml"
# The first knows glasses; the second finds some pairs that the first misses.
EYE_CASCADES = ("haarcascade_eye_tree_eyeglasses.xml", "haarcascade_eye.xml")

# The eye cascades were trained on 20 px eyes; at this width of the face eyes have 40.
FACE_WIDTH = 240
# Share of the face box, from its top, in which eyes are looked for.
UPPER = 0.6


class EyeFinder:
    """Finds faces and the pair of eyes in each; loads a cascade when first used."""

    def __init__(self):
        self._cascades: dict[str, cv2.CascadeClassifier] = {}

    def all_faces(self, grey: np.ndarray) -> list[tuple[Box, int]]:
        """Every face of at least 24 px, with the number of windows that agree.

        Args:
          grey: uint8 [H, W], searched at its own size.

        Returns:
          (x, y, width, height) in pixels and the count, largest face first.
        """
        boxes, counts = self._cascade(FACE_CASCADE).detectMultiScale2(
            grey, scaleFactor=1.1, minNeighbors=4, minSize=(24, 24)
        )
        found = [
            (tuple(map(int, box)), int(count))
            for box, count in zip(boxes, np.ravel(counts), strict=True)
        ]
        return sorted(found, key=lambda pair: _largest_first(pair[0]))

    def _cascade(self, name: str) -> cv2.CascadeClassifier:
        if name not in self._cascades:
            path = os.path.join(cv2.data.haarcascades, name)
            self._cascades[name] = cv2.CascadeClassifier(path)
        return self._cascades[name]

    def eyes_of(self, grey: np.ndarray, face: Box) -> tuple[Point, Point] | None:
        """Centres of the eyes in a face's box, left one of the picture first."""
        x, y, width, height = face
        factor = FACE_WIDTH / width
        upper = _scaled(grey[y : y + round(UPPER * height), x : x + width], factor)
        smallest = FACE_WIDTH // 10
        for name in EYE_CASCADES:
            found = self._cascade(name).detectMultiScale(
                upper, scaleFactor=1.05, minNeighbors=3, minSize=(smallest, smallest)
            )
            # A box u..u+w covers the edges of pixels; -0.5 turns edges into centres.
            centres = [
                (x + (u + w / 2) / factor - 0.5, y + (v + h / 2) / factor - 0.5)
                for u, v, w, h in sorted(tuple(map(int, box)) for box in found)
            ]
            if pair := best_pair(centres, width):
                return pair
        return None


def _scaled(grey: np.ndarray, factor: float) -> np.ndarray:
    how = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_CUBIC
    return cv2.resize(grey, None, fx=factor, fy=factor, interpolation=how)


def _largest_first(box: Box) -> tuple[int, ...]:
    return (-box[2] * box[3], *box)


def best_pair(centres: list[Point], face_width: float) -> tuple[Point, Point] | None:
    """The two candidates most like a pair of eyes, left one first, or None.

    Eyes stand 0.25 to 0.7 face widths apart and within 20 degrees of level; among such
    pairs the one nearest to the usual 0.42 face widths, most level, wins.
    """
    best, best_cost = None, float("inf")
    for left in centres:
        for right in centres:
            across = (right[0] - left[0]) / face_width
            tilt = abs(right[1] - left[1]) / face_width
            if not 0.25 <= across <= 0.7 or tilt > 0.36 * across:
                continue
            cost = abs(across - 0.42) + tilt
            if cost < best_cost:
                best, best_cost = (left, right), cost
    return best

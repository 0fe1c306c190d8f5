"""What a detector says of one face, and boxes against boxes."""

from collections.abc import Sequence
from typing import NamedTuple

from kfer.images.alignment import Point

# x, y, width, height in pixels: the edges of pixels, not their centres.
Box = tuple[float, float, float, float]


class Face(NamedTuple):
    """One face of a picture, in the picture's own pixels.

    Attributes:
      box: inside the picture.
      landmarks: centres of the eye at the left and of the eye at the right of the
        picture, then, where the detector knows them, nose, left and right corner of
        the mouth; empty if it found none. Pixel centres, as in kfer.images.alignment.
      score: how sure the detector is, 0 to 1; comparable within one detector alone.
    """

    box: Box
    landmarks: tuple[Point, ...]
    score: float

    @property
    def eyes(self) -> tuple[Point, Point] | None:
        """The eye centres, left one of the picture first, or None."""
        return self.landmarks[:2] if len(self.landmarks) >= 2 else None

    def moved(self, right: float, down: float) -> "Face":
        """The face in a picture that has this one `right` and `down` of its corner."""
        x, y, width, height = self.box
        points = tuple((u + right, v + down) for u, v in self.landmarks)
        return Face((x + right, y + down, width, height), points, self.score)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(across, 0.0) * max(down, 0.0)
    union = a[2] * a[3] + b[2] * b[3] - shared
    return shared / union if union > 0 else 0.0


def inside(box: Box, width: int, height: int) -> Box | None:
    """The part of a box that lies in a picture of width x height, or None."""
    left, top = max(box[0], 0.0), max(box[1], 0.0)
    right = min(box[0] + box[2], float(width))
    bottom = min(box[1] + box[3], float(height))
    if right <= left or bottom <= top:
        return None
    return (left, top, right - left, bottom - top)


def ordered(faces: Sequence[Face]) -> list[Face]:
    """Largest first; the rest of the key makes the order one of values alone."""
    return sorted(faces, key=lambda face: (-face.box[2] * face.box[3], *face.box))

"""Every face of a picture, by detectors whose weights come inside a package.

`Detector(name).detect(image)` gives the faces, largest first. A picture is
searched at a bounded size, so a large photograph costs no more than a small one, and
what is found is given in the picture's own pixels. The same picture gives the same
faces every time.
"""

from typing import Protocol

import cv2
import numpy as np

from kfer.errors import UserError
from kfer.faces.backends import Cascade, Mtcnn, Yuface
from kfer.faces.face import Face, inside, ordered

DETECTORS = {"mtcnn": Mtcnn, "yuface": Yuface, "cascade": Cascade}
DEFAULT = "mtcnn"

# Longest side that is searched. A face of 2 % of it has about the 20 px a detector
# needs; above 960 px yuface warns that it gets worse.
SEARCH_SIDE = 960
# Smaller pictures are enlarged to it: at 25 px yuface sees 9 of scikit-image's 100
# faces, at four times that all of them.
SMALL_SIDE = 100


class Backend(Protocol):
    """Finds faces in a picture of bounded size, in that picture's pixels."""

    def __call__(self, image: np.ndarray) -> list[Face]: ...


class Detector:
    """Finds faces; it pickles as its name and loads its weights when first used.

    Args:
      name: of DETECTORS.
      search_side: longest side that is searched, in pixels.

    Raises:
      UserError: there is no such detector.
    """

    def __init__(self, name: str = DEFAULT, search_side: int = SEARCH_SIDE):
        if name not in DETECTORS:
            raise UserError(f"No detector {name!r}; known: {', '.join(DETECTORS)}")
        self.name = name
        self.search_side = search_side
        self._backend: Backend | None = None

    def __reduce__(self):
        return (Detector, (self.name, self.search_side))

    def detect(self, image: np.ndarray) -> list[Face]:
        """The faces of a picture, largest first.

        Args:
          image: uint8 [H, W, 3] RGB.

        Returns:
          Faces in the picture's pixels, boxes cut to the picture; an empty list says
          that it shows none.

        Raises:
          ValueError: the picture has another shape or type.
          UserError: the detector's package isn't installed.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"not uint8 [H, W, 3]: {image.dtype} {image.shape}")
        if self._backend is None:
            self._backend = DETECTORS[self.name]()
        height, width = image.shape[:2]
        small = bounded(image, self.search_side)
        across, down = width / small.shape[1], height / small.shape[0]
        found = (_grown(face, across, down) for face in self._backend(small))
        return ordered(
            [
                face._replace(box=box)
                for face in found
                if (box := inside(face.box, width, height))
            ]
        )


def bounded(image: np.ndarray, side: int) -> np.ndarray:
    """The picture with a longer side of SMALL_SIDE to `side` pixels, same shape."""
    height, width = image.shape[:2]
    longer = max(height, width)
    factor = min(max(longer, SMALL_SIDE), side) / longer
    if factor == 1.0:
        return image
    shape = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_CUBIC
    return cv2.resize(image, shape, interpolation=how)


def _grown(face: Face, across: float, down: float) -> Face:
    """A face of the searched picture in the pixels of the picture itself."""
    x, y, width, height = face.box
    # Landmarks are pixel centres, half a pixel from the edges that scale.
    points = tuple(
        ((u + 0.5) * across - 0.5, (v + 0.5) * down - 0.5) for u, v in face.landmarks
    )
    box = (x * across, y * down, width * across, height * down)
    return Face(box, points, face.score)

"""A face of a picture as the model saw faces when it was trained.

`as_given`: crops that came cut, such as FER+'s: upright, the smallest square around
the face with a margin. `landmarks`: the eyes where kfer.images.alignment puts them.
`none`: whole pictures, in which no face is looked for.
"""

import numpy as np

from kfer.faces.face import Face
from kfer.images import alignment

AS_GIVEN = "as_given"
LANDMARKS = "landmarks"
NONE = "none"
FRAMINGS = (NONE, AS_GIVEN, LANDMARKS)

# Share of the square's side that is added on each side of the box.
MARGIN = 0.1


def crop(image: np.ndarray, face: Face, framing: str, size: int) -> np.ndarray | None:
    """The square that shows one face.

    Args:
      image: uint8 [H, W, 3] RGB.
      face: one of its faces.
      framing: AS_GIVEN or LANDMARKS.
      size: side of the square in pixels.

    Returns:
      uint8 [size, size, 3], black beyond the picture; None if the framing needs eyes
      and the detector found none.

    Raises:
      ValueError: the framing has no crops.
    """
    if framing == AS_GIVEN:
        return alignment.warp(image, alignment.square(widened(face.box), size), size)
    if framing != LANDMARKS:
        raise ValueError(f"framing {framing!r} has no crops")
    if face.eyes is None or face.eyes[0] == face.eyes[1]:
        return None
    return alignment.warp(image, alignment.similarity(face.eyes, size), size)


def widened(
    box: tuple[float, float, float, float], margin: float = MARGIN
) -> tuple[float, float, float, float]:
    """The square around a box with `margin` of its side added on each side."""
    x, y, width, height = box
    side = max(width, height) * (1 + 2 * margin)
    return (x + (width - side) / 2, y + (height - side) / 2, side, side)

"""A picture of many drawn faces, one column a class."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kfer.data.drawn_faces.drawing import draw
from kfer.data.drawn_faces.expression import CLASSES
from kfer.data.drawn_faces.parameters import face_rng, sample_face
from kfer.data.drawn_faces.style import SOFT, FaceStyle

_HEADING = 22  # pixels


def contact_sheet(
    style: FaceStyle = SOFT,
    size: int = 96,
    rows: int = 6,
    seed: int = 0,
    enlarge: int = 1,
) -> np.ndarray:
    """Faces of a style, one column per class under its name.

    Args:
      style: how they are drawn.
      size: side of a face in pixels.
      rows: faces of each class.
      seed: other seeds show other people.
      enlarge: each pixel is shown as a square of so many.

    Returns:
      uint8 [22 + rows * size * enlarge, 7 * size * enlarge, 3] RGB.
    """
    faces = [
        [
            draw(
                sample_face(face_rng(seed, row * len(CLASSES) + label), style, label),
                size,
            )
            for label in range(len(CLASSES))
        ]
        for row in range(rows)
    ]
    grid = np.concatenate([np.concatenate(row, axis=1) for row in faces])
    side = size * enlarge
    grid = cv2.resize(
        grid, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_NEAREST
    )
    return np.concatenate([_headings(side), grid])


def _headings(side: int) -> np.ndarray:
    """uint8 [_HEADING, 7 * side, 3] with each class's name over its column."""
    strip = Image.new("RGB", (side * len(CLASSES), _HEADING), "white")
    pen, font = ImageDraw.Draw(strip), ImageFont.load_default(13)
    for column, name in enumerate(CLASSES):
        middle = ((column + 0.5) * side, _HEADING / 2)
        pen.text(middle, name, "black", font, anchor="mm")
    return np.asarray(strip)


def save(path: str, styles: tuple[FaceStyle, ...] = (SOFT,), **fields: int) -> None:
    """Writes the contact sheets of the styles, one under the other, as a PNG.

    Args:
      path: of the picture.
      styles: in order.
      **fields: size, rows, seed and enlarge of contact_sheet.
    """
    sheets = [contact_sheet(style, **fields) for style in styles]
    Image.fromarray(np.concatenate(sheets)).save(path, "PNG", optimize=True)

"""Small drawn pictures with known eyes, for the fake roots that tests read."""

import cv2
import numpy as np

from kfer.images.alignment import Point


def face(
    rng: np.random.Generator, width: int = 120, height: int = 140
) -> tuple[np.ndarray, tuple[Point, Point], tuple[int, int, int, int]]:
    """A head with two eyes and a mouth, a little turned and moved.

    Args:
      rng: of its place, turn and colours.
      width, height: of the picture in pixels.

    Returns:
      uint8 [height, width, 3] RGB; the eye centres, left one of the picture first; the
      head's box as x, y, width, height.
    """
    image = np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    side = min(width, height)
    centre = np.array([width, height]) / 2 + rng.uniform(-0.05, 0.05, 2) * side
    angle = rng.uniform(-0.3, 0.3)
    axis = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-axis[1], axis[0]])
    eyes = [
        centre - 0.08 * side * down + sign * 0.14 * side * axis for sign in (-1.0, 1.0)
    ]
    head = tuple(int(v) for v in np.round(centre))
    axes = (round(0.32 * side), round(0.42 * side))
    skin = tuple(int(v) for v in rng.integers(120, 240, 3))
    cv2.ellipse(image, head, axes, np.degrees(angle), 0, 360, skin, -1, cv2.LINE_AA)
    for eye in eyes:
        _dot(image, eye, 0.04 * side, (255, 255, 255))
        _dot(image, eye, 0.02 * side, (10, 10, 40))
    _dot(image, centre + 0.2 * side * down, 0.05 * side, (150, 20, 40))
    box = (head[0] - axes[0], head[1] - axes[1], 2 * axes[0], 2 * axes[1])
    return image, tuple((float(x), float(y)) for x, y in eyes), box


def _dot(image: np.ndarray, centre: np.ndarray, radius: float, colour: tuple) -> None:
    # OpenCV draws at 1/16 pixel with shift 4, so eyes lie where they are said to be.
    x, y = (round(16 * v) for v in centre)
    cv2.circle(image, (x, y), round(16 * radius), colour, -1, cv2.LINE_AA, 4)

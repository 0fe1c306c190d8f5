"""Shapes in the head's own coordinates and the projection to pixels.

Head coordinates: origin at the head's centre, x to the viewer's right, y down, unit the
head's half-height. Pixel coordinates count from the centre of the top left pixel.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kfer.data.drawn_faces.parameters import Color, FaceParameters, Pose

_RADIUS_X, _RADIUS_Y, _DEPTH = 1.0, 1.25, 0.62  # the ball that turned features sit on


class Shape(NamedTuple):
    """One polygon or line to draw."""

    points: np.ndarray  # [n, 2] head coordinates
    color: Color
    width: float = 0.0  # of the line in head half-heights; 0 fills the polygon
    alpha: float = 1.0
    depth: float = 1.0  # 1 moves with the face when the head turns, 0 with the outline
    closed: bool = True
    outlined: bool = False  # gets the style's dark line around it


def xy(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[n, 2] points; several times faster than np.stack for a few points."""
    points = np.empty((len(x), 2))
    points[:, 0] = x
    points[:, 1] = y
    return points


def _circle(points: int) -> np.ndarray:
    t = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    return xy(np.cos(t), np.sin(t))


_CIRCLE = {n: _circle(n) for n in (12, 20, 40)}
_STEPS = {n: np.linspace(0.0, 1.0, n) for n in range(3, 16)}


def ellipse(x: float, y: float, rx: float, ry: float, points: int = 20) -> np.ndarray:
    """[points, 2] of an ellipse around (x, y); points is 12, 20 or 40."""
    return _CIRCLE[points] * (rx, ry) + (x, y)


def curve(x0: float, x1: float, ys: Sequence[float], points: int = 9) -> np.ndarray:
    """[points, 2] of the parabola through (x0, ys[0]), (midway, ys[1]), (x1, ys[2])."""
    t = _STEPS[points]
    left, middle, right = ys
    bend = 2.0 * left + 2.0 * right - 4.0 * middle
    y = left + (right - left - bend) * t + bend * t * t
    return xy(x0 + (x1 - x0) * t, y)


def rounded_box(
    x: float, y: float, rx: float, ry: float, power: float = 4.0
) -> np.ndarray:
    """[20, 2] of a superellipse around (x, y)."""
    unit = _CIRCLE[20]
    unit = np.sign(unit) * np.abs(unit) ** (2.0 / power)
    return unit * (rx, ry) + (x, y)


@functools.lru_cache(maxsize=8)
def head_outline(width: float, jaw: float, square: float) -> np.ndarray:
    """[40, 2], read-only: a superellipse whose lower half narrows by `jaw`.

    It starts at the viewer's right temple and runs down over the chin.
    """
    unit = _CIRCLE[40]
    unit = np.sign(unit) * np.abs(unit) ** (2.0 / square)
    narrow = 1.0 - jaw * np.maximum(unit[:, 1], 0.0) ** 1.5
    outline = xy(unit[:, 0] * narrow * width, unit[:, 1])
    outline.setflags(write=False)
    return outline


def turn(points: np.ndarray, depth: np.ndarray | float, pose: Pose) -> np.ndarray:
    """Head coordinates after yaw and pitch: points slide over a ball, by their depth.

    Args:
      points: [n, 2].
      depth: [n] or one number; see Shape.depth.
      pose: its yaw and pitch are used.
    """
    x, y = points[:, 0], points[:, 1]
    ball = 1.0 - (x / _RADIUS_X) ** 2 - (y / _RADIUS_Y) ** 2
    lift = depth * _DEPTH * np.sqrt(np.maximum(ball, 0.0))
    squeeze = depth * (1.0 - np.cos(pose.yaw))
    return xy(
        x * (1.0 - squeeze) + lift * np.sin(pose.yaw), y + lift * np.sin(pose.pitch)
    )


def place(points: np.ndarray, pose: Pose, side: float) -> np.ndarray:
    """Head coordinates -> pixel coordinates of a square picture of `side` pixels."""
    cosine, sine = np.cos(pose.roll), np.sin(pose.roll)
    rotated = points @ np.array([[cosine, sine], [-sine, cosine]])
    return (rotated * pose.scale + (pose.x, pose.y)) * side - 0.5


def eyes(params: FaceParameters, size: int) -> tuple[tuple[float, float], ...]:
    """Centres of the two eyes in pixels of the picture `draw(params, size)`.

    Returns:
      ((x, y), (x, y)), the viewer's left eye first; (0, 0) is the centre of the top
      left pixel. An eye stays where it is when something covers it.
    """
    identity = params.identity
    centres = np.array(
        [[-identity.eye_gap, identity.eye_y], [identity.eye_gap, identity.eye_y]]
    )
    pixels = place(turn(centres, 1.0, params.pose), params.pose, size)
    return tuple(map(tuple, pixels.tolist()))


def box(params: FaceParameters, size: int) -> tuple[float, float, float, float]:
    """(x, y, width, height) in pixels of the head's outline, without hair and hat.

    It may reach beyond the picture.
    """
    identity = params.identity
    outline = head_outline(identity.width, identity.jaw, identity.square)
    pixels = place(turn(outline, 0.0, params.pose), params.pose, size)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return tuple(np.concatenate([low, high - low]).tolist())

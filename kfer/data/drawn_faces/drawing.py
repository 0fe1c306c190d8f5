"""Parameters of a face -> picture."""

from typing import NamedTuple

import cv2
import numpy as np

from kfer.data.drawn_faces import degrade, features, geometry, head, occlusion
from kfer.data.drawn_faces.geometry import Shape
from kfer.data.drawn_faces.parameters import FaceParameters
from kfer.errors import UserError

_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates
_INK = (24, 20, 24)


def shapes(params: FaceParameters) -> list[Shape]:
    """All shapes of the face, back to front."""
    identity = params.identity
    return [
        *head.shoulders(params),
        *head.back_hair(identity),
        *head.ears(identity),
        *head.head(params),
        *head.beard(identity),
        *features.face_features(params),
        *head.front_hair(identity),
        *head.hat(identity),
        *head.glasses(identity),
        *occlusion.occluder(params),
    ]


def _colors(parts: list[Shape], saturation: float) -> list[list[int]]:
    """The shapes' colours at this saturation."""
    colors = np.array([part.color for part in parts], np.float64)
    grey = colors @ np.array([[0.30], [0.59], [0.11]])
    return np.clip(grey + (colors - grey) * saturation, 0, 255).astype(int).tolist()


class _Placed(NamedTuple):
    """A shape's points in OpenCV's fixed-point pixels, and its bounds in pixels."""

    points: np.ndarray  # int32 [n, 2]
    low: list[int]  # x, y
    high: list[int]


def _place(parts: list[Shape], params: FaceParameters, side: int) -> list[_Placed]:
    """Projects all shapes at once, which is what makes drawing quick."""
    points = np.concatenate([part.points for part in parts])
    lengths = [len(part.points) for part in parts]
    depth = np.repeat([part.depth for part in parts], lengths)
    placed = geometry.place(
        geometry.turn(points, depth, params.pose), params.pose, side
    )
    fixed = np.rint(placed * (1 << _SHIFT)).astype(np.int32)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    low = np.minimum.reduceat(fixed, starts) >> _SHIFT
    high = (np.maximum.reduceat(fixed, starts) >> _SHIFT) + 1
    bounds = zip(
        starts.tolist(), ends.tolist(), low.tolist(), high.tolist(), strict=True
    )
    return [_Placed(fixed[a:b], lo, hi) for a, b, lo, hi in bounds]


def _paint(
    canvas: np.ndarray, points: np.ndarray, part: Shape, color: list[int], width: int
):
    if part.width:
        cv2.polylines(canvas, [points], part.closed, color, width, cv2.LINE_AA, _SHIFT)
    else:
        cv2.fillPoly(canvas, [points], color, cv2.LINE_AA, _SHIFT)


def _blend(
    canvas: np.ndarray, placed: _Placed, part: Shape, color: list[int], width: int
):
    side = canvas.shape[0]
    left, top = (min(max(v - width - 1, 0), side) for v in placed.low)
    right, bottom = (min(max(v + width + 2, 0), side) for v in placed.high)
    if left >= right or top >= bottom:
        return
    window = canvas[top:bottom, left:right]
    layer = window.copy()
    corner: np.ndarray = np.array([left << _SHIFT, top << _SHIFT], np.int32)
    _paint(layer, placed.points - corner, part, color, width)
    cv2.addWeighted(layer, part.alpha, window, 1.0 - part.alpha, 0.0, dst=window)


def _rasterise(canvas: np.ndarray, params: FaceParameters) -> None:
    side, style = canvas.shape[0], params.style
    parts = shapes(params)
    unit = params.pose.scale * side
    ink = max(1, round(style.outline * unit))
    colors = _colors(parts, style.saturation)
    places = _place(parts, params, side)
    for part, placed, color in zip(parts, places, colors, strict=True):
        width = max(1, round(part.width * unit))
        if part.alpha < 1.0:
            _blend(canvas, placed, part, color, width)
        else:
            _paint(canvas, placed.points, part, color, width)
        if style.outline and part.outlined:
            cv2.polylines(canvas, [placed.points], True, _INK, ink, cv2.LINE_AA, _SHIFT)


def _enlargement(size: int) -> int:
    return 3 if size <= 32 else 2


def draw(params: FaceParameters, size: int) -> np.ndarray:
    """The face as a picture: a pure function of its arguments.

    It is drawn larger with smooth edges, reduced by area, then lit, blurred and noised.

    Args:
      params: the face.
      size: side in pixels, at least 16.

    Returns:
      uint8 [size, size, 3] RGB.
    """
    if not 16 <= size <= 1024:
        raise UserError(f"Faces are drawn at 16 to 1024 pixels, not {size}")
    side = size * _enlargement(size)
    canvas = degrade.background(params.scene, side)
    _rasterise(canvas, params)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return degrade.degrade(small, params.scene)

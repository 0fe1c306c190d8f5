"""Mouth, nose, eyes and brows: the parts that show the expression."""

from typing import NamedTuple

import numpy as np

from kfer.data.drawn_faces.expression import Expression
from kfer.data.drawn_faces.geometry import Shape, curve, ellipse, xy
from kfer.data.drawn_faces.parameters import Color, FaceParameters, Identity, Pose
from kfer.data.drawn_faces.style import FaceStyle

_ACROSS = np.linspace(-1.0, 1.0, 11)
_BULGE = 1.0 - _ACROSS**2  # 1 in the middle, 0 at the corners
_BOX = 1.0 - _ACROSS**6
_CAVITY, _TEETH, _TONGUE = (84, 24, 30), (246, 244, 236), (206, 92, 98)
_GAP = (168, 152, 150)
_INK = (32, 26, 30)


def shade(color: Color, factor: float) -> Color:
    """The colour with every channel times `factor`, kept in 0..255."""
    return tuple(int(min(255, c * factor)) for c in color)


def _crease(identity: Identity, strength: float) -> Color:
    """Colour of a line in the skin, darker by `strength`."""
    return shade(identity.skin, 1.0 - min(strength, 0.45))


def _band(x: np.ndarray, top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """[2n, 2] polygon between two curves over the same x."""
    count = len(x)
    points = np.empty((2 * count, 2))
    points[:count, 0], points[:count, 1] = x, top
    points[count:, 0], points[count:, 1] = x[::-1], bottom[::-1]
    return points


def _lips(identity: Identity, e: Expression) -> tuple[np.ndarray, ...]:
    """x, upper edge and lower edge of the mouth's opening, each [11]."""
    grin = max(e.smile, 0.0)
    half = identity.mouth_width * (1.0 + 0.38 * e.wide + 0.16 * grin - 0.10 * e.open)
    bend = 0.33 * (e.smile + identity.mouth_rest)
    middle = identity.mouth_y + bend * (0.45 - _ACROSS**2) + 0.03 * e.open
    up = (0.06 * e.open * (1.0 - grin) + 0.12 * e.lip_raise) * _BULGE
    down = (0.44 * e.open + 0.05 * e.lip_raise + 0.10 * grin * e.open) * _BULGE
    clench = 0.075 * e.teeth * _BOX
    return half * _ACROSS, middle - up - clench, middle + down + clench


def mouth(identity: Identity, e: Expression) -> list[Shape]:
    """A line when closed; else cavity, teeth and tongue inside lips."""
    x, top, bottom = _lips(identity, e)
    gap = float(np.max(bottom - top))
    dark = shade(identity.lip, 0.55)
    if gap < 0.045:
        line = xy(x, 0.5 * (top + bottom))
        lower = xy(0.55 * x, bottom + 0.075)[2:-2]
        return [
            Shape(
                np.add(line, (0.0, 0.018)),
                identity.lip,
                1.5 * identity.lip_thickness,
                closed=False,
            ),
            Shape(line, dark, 0.042, closed=False),
            Shape(lower, shade(identity.skin, 0.83), 0.025, closed=False),
        ]
    opening = _band(x, top, bottom)
    shapes = [Shape(opening, _CAVITY)]
    if gap > 0.24:
        low = bottom - 0.42 * gap * np.maximum(1.0 - (1.5 * _ACROSS) ** 2, 0.0)
        shapes.append(Shape(_band(x, low, bottom), _TONGUE))
    if e.teeth * 0.15 > 0.5 * gap:
        middle = xy(x, 0.5 * (top + bottom))
        shapes += [Shape(opening, _TEETH), Shape(middle, dark, 0.02, closed=False)]
        for i in (2, 4, 6, 8):
            tooth = np.array([[x[i], top[i]], [x[i], bottom[i]]])
            shapes.append(Shape(tooth, _GAP, 0.015, closed=False))
    elif e.smile > -0.2 or e.lip_raise > 0.3:
        reach = np.minimum(top + 0.34 * gap * _BOX, bottom)
        shapes.append(Shape(_band(x, top, reach), _TEETH))
    shapes.append(Shape(opening, identity.lip, identity.lip_thickness))
    return shapes


def nose(identity: Identity, e: Expression) -> list[Shape]:
    """The nose and, when it is wrinkled, its lines and the folds beside it."""
    size, y = identity.nose_size, 0.20 - 0.05 * e.nose_wrinkle
    line, wing = shade(identity.skin, 0.66), 0.09 * identity.nose_size
    wing *= 1.0 + 0.25 * e.nose_wrinkle
    if identity.nose_kind == 0:
        hook = np.array([[0.01, y - 0.2 * size], [wing, y - 0.02],
                         [0.5 * wing, y + 0.04], [-0.6 * wing, y + 0.03]])  # fmt: skip
        shapes = [Shape(hook, line, 0.034, depth=1.3, closed=False)]
    elif identity.nose_kind == 1:
        ball = ellipse(0.0, y, 1.1 * wing, 0.075 * size)
        shapes = [Shape(ball, shade(identity.skin, 0.86), depth=1.3, outlined=True)]
    else:
        under = curve(-1.2 * wing, 1.2 * wing, (y - 0.03, y + 0.06, y - 0.03))
        upper, root = y - 0.26 * size, 0.35 * wing
        bridge = np.array([[-root, upper], [root, upper], [wing, y], [-wing, y]])
        shapes = [
            Shape(bridge, shade(identity.skin, 1.06), depth=1.2),
            Shape(under, line, 0.036, depth=1.3, closed=False),
        ]
    return shapes + _nose_lines(identity, e, y, wing)


def _nose_lines(
    identity: Identity, e: Expression, y: float, wing: float
) -> list[Shape]:
    if e.nose_wrinkle < 0.15:
        return []
    line = _crease(identity, 0.42 * (0.25 + e.nose_wrinkle))
    lines = [
        curve(-0.08, 0.08, (top + 0.02, top - 0.015, top + 0.02), 5)
        for top in (identity.eye_y + 0.0, identity.eye_y + 0.075)
    ]
    for side in (-1.0, 1.0):
        xs = side * (wing + np.array([0.05, 0.13, 0.20]))
        lines.append(xy(xs, y + np.array([-0.06, 0.06, 0.22])))
    return [Shape(p, line, 0.028, depth=1.1, closed=False) for p in lines]


class _Lids(NamedTuple):
    """The edges of the viewer's right eye; the left one is its mirror image."""

    x: np.ndarray  # [11], ascending
    top: np.ndarray
    bottom: np.ndarray


def _lids(identity: Identity, e: Expression, size: float) -> _Lids:
    high = 0.175 * size * max(0.08, 1.0 + 0.65 * e.eye_open)
    low = 0.14 * size * max(0.1, 1.0 + 0.38 * e.eye_open) * (1.0 - 0.8 * e.cheek)
    top = identity.eye_y - high * _BULGE + 0.055 * e.brow_slope * _ACROSS
    bottom = np.maximum(identity.eye_y + low * _BULGE, top + 0.012)
    return _Lids(identity.eye_gap + 0.185 * size * _ACROSS, top, bottom)


def _eye(
    identity: Identity, e: Expression, lids: _Lids, iris: list[Shape], side: float
) -> list[Shape]:
    x, top, bottom = side * lids.x, lids.top, lids.bottom
    lid, under = xy(x, top), xy(x, bottom)
    shapes = [
        Shape(_band(x, top, bottom), (250, 249, 246)),
        *iris,
        Shape(lid, _INK, 0.040 + 0.014 * identity.lashes, closed=False),
    ]
    if identity.lashes > 0.6:
        lash = np.array([lid[-1], lid[-1] + (side * 0.055, -0.035)])
        shapes.append(Shape(lash, _INK, 0.032, closed=False))
    shapes.append(Shape(under, _crease(identity, 0.3), 0.022, closed=False))
    if e.cheek > 0.1:
        bag = xy(x, bottom + 0.05 + 0.03 * _BULGE)[1:-1]
        color = _crease(identity, 0.38 * e.cheek)
        shapes.append(Shape(bag, color, 0.026, closed=False))
    return shapes


def _disc(x: float, y: float, radius: float, lids: _Lids, side: float) -> np.ndarray:
    """A disc cut off where the lids cover it; x is the distance from the middle."""
    points = ellipse(x, y, radius, radius)
    upper = np.interp(points[:, 0], lids.x, lids.top)
    lower = np.interp(points[:, 0], lids.x, lids.bottom)
    points[:, 1] = np.minimum(np.maximum(points[:, 1], upper), lower)
    points[:, 0] *= side
    return points


def _iris(
    identity: Identity, pose: Pose, lids: _Lids, style: FaceStyle, side: float
) -> list[Shape]:
    """Iris, pupil and highlight, or a dot."""
    size = identity.eye_size * style.eye_scale
    x = identity.eye_gap + side * 0.05 * pose.gaze_x
    y = identity.eye_y - 0.01 + 0.03 * pose.gaze_y
    if not style.iris:
        return [Shape(_disc(x, y, 0.068 * size, lids, side), _INK)]
    shapes = [
        Shape(_disc(x, y, 0.115 * size, lids, side), identity.iris),
        Shape(_disc(x, y, 0.064 * size, lids, side), (16, 12, 14)),
    ]
    if np.min(lids.top) < y - 0.06:
        glint = ellipse(side * x + 0.03, y - 0.035, 0.022, 0.022, 12)
        shapes.append(Shape(glint, (255, 255, 255)))
    return shapes


def eyes(
    identity: Identity, e: Expression, pose: Pose, style: FaceStyle
) -> list[Shape]:
    """Both eyes, the viewer's left one first."""
    lids = _lids(identity, e, identity.eye_size * style.eye_scale)
    shapes = []
    for side in (-1.0, 1.0):
        iris = _iris(identity, pose, lids, style, side)
        shapes += _eye(identity, e, lids, iris, side)
    return shapes


def brows(identity: Identity, e: Expression) -> list[Shape]:
    """Both brows, the furrow between them and the lines of a raised forehead."""
    base = identity.eye_y - identity.brow_height
    base -= (0.17 if e.brow_raise > 0 else 0.11) * e.brow_raise
    slope = e.brow_slope + identity.brow_rest
    middle = base - identity.brow_arch - 0.015 * slope
    ys = (base - 0.16 * slope + 0.03 * e.furrow, middle, base + 0.11 * slope)
    color = shade(identity.hair, 0.55)
    taper = identity.brow_thickness * np.linspace(1.0, 0.35, 9)
    shapes = []
    for side in (-1.0, 1.0):
        inner = side * (identity.eye_gap - 0.20 - 0.055 * e.furrow)
        line = curve(inner, side * (identity.eye_gap + 0.22), ys)
        shapes.append(
            Shape(
                _band(line[:, 0], line[:, 1] - 0.5 * taper, line[:, 1] + taper), color
            )
        )
    return shapes + _forehead_lines(identity, e, base)


def _forehead_lines(identity: Identity, e: Expression, base: float) -> list[Shape]:
    shapes = []
    if e.furrow > 0.25:
        for side in (-1.0, 1.0):
            stroke = np.array([[side * 0.035, base + 0.0], [side * 0.045, base + 0.13]])
            shapes.append(
                Shape(stroke, _crease(identity, 0.4 * e.furrow), 0.03, closed=False)
            )
    if e.brow_raise > 0.3:
        for lift in (0.13, 0.20):
            wave = curve(-0.30, 0.30, (base - lift, base - lift - 0.03, base - lift), 7)
            color = _crease(identity, 0.3 * e.brow_raise)
            shapes.append(Shape(wave, color, 0.022, closed=False))
    return shapes


def face_features(params: FaceParameters) -> list[Shape]:
    """All parts that the expression moves, back to front."""
    identity, e = params.identity, params.expression
    return [
        *mouth(identity, e),
        *nose(identity, e),
        *eyes(identity, e, params.pose, params.style),
        *brows(identity, e),
    ]

"""What stands before a face: a hand, a bar, a scarf or a cast shadow."""

import numpy as np

from kfer.data.drawn_faces.features import shade
from kfer.data.drawn_faces.geometry import Shape, curve, ellipse, rounded_box
from kfer.data.drawn_faces.parameters import FaceParameters


def _turned(points: np.ndarray, angle: float, x: float, y: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([[cosine, sine], [-sine, cosine]]) + (x, y)


def hand(params: FaceParameters) -> list[Shape]:
    """A hand on a cheek: a palm and four fingers."""
    scene, color = params.scene, shade(params.identity.skin, 0.94)
    shapes = []
    for i in range(4):
        finger = rounded_box(
            -0.21 + 0.14 * i, -0.26 - 0.05 * (i in (1, 2)), 0.075, 0.26, 3.0
        )
        shapes.append(finger)
    shapes.append(rounded_box(0.0, 0.12, 0.29, 0.27, 3.0))
    angle = scene.occluder_angle - 0.5 * np.sign(scene.occluder_x)
    return [
        piece
        for points in shapes
        for placed in [_turned(points, angle, scene.occluder_x, scene.occluder_y + 0.2)]
        for piece in (
            Shape(placed, color, depth=0.0, outlined=True),
            Shape(placed, shade(color, 0.72), 0.02, 0.7, depth=0.0),
        )
    ]


def bar(params: FaceParameters) -> list[Shape]:
    """A bar across the picture's edge, as a phone or a pole."""
    scene = params.scene
    box = rounded_box(0.0, 0.0, 0.22, 1.9, 8.0)
    placed = _turned(box, scene.occluder_angle, scene.occluder_x * 1.05, 0.1)
    return [Shape(placed, scene.occluder_color, depth=0.0, outlined=True)]


def scarf(params: FaceParameters) -> list[Shape]:
    """A scarf that hides the chin and part of the mouth."""
    w, y = 1.15 * params.identity.width, 0.56 + 0.2 * abs(params.scene.occluder_x)
    top = curve(-w, w, (y - 0.05, y + 0.07, y - 0.05))
    low = curve(w, -w, (1.2, 1.4, 1.2))
    color = params.scene.occluder_color
    fold = curve(-w, w, (y + 0.2, y + 0.34, y + 0.2))
    return [
        Shape(np.concatenate([top, low]), color, depth=0.2, outlined=True),
        Shape(fold, shade(color, 0.75), 0.05, 0.8, depth=0.2, closed=False),
    ]


def shadow(params: FaceParameters) -> list[Shape]:
    """A cast shadow over one side."""
    x = 1.3 * np.sign(params.scene.occluder_x)
    blob = ellipse(x, params.scene.occluder_y, 1.2, 1.1, 40)
    return [Shape(blob, (24, 22, 34), alpha=0.45, depth=0.0)]


_OCCLUDERS = {"hand": hand, "bar": bar, "scarf": scarf, "shadow": shadow}


def occluder(params: FaceParameters) -> list[Shape]:
    """The shapes of the scene's occluder; none for 'none'."""
    kind = params.scene.occluder
    return [] if kind == "none" else _OCCLUDERS[kind](params)

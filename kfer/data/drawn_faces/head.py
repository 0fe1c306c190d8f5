"""Head, hair, ears, beard, glasses, hat and shoulders: the parts that make a person."""

import numpy as np

from kfer.data.drawn_faces.features import shade
from kfer.data.drawn_faces.geometry import (
    Shape,
    curve,
    ellipse,
    head_outline,
    rounded_box,
    xy,
)
from kfer.data.drawn_faces.parameters import FaceParameters, Identity


def _outline(identity: Identity, grow: float = 1.0) -> np.ndarray:
    return grow * head_outline(identity.width, identity.jaw, identity.square)


def _top(identity: Identity, grow: float) -> np.ndarray:
    """[21, 2] of the outline's upper half, from the viewer's left to the right."""
    ring = _outline(identity, grow)
    return np.concatenate([ring[20:], ring[:1]])


def shoulders(params: FaceParameters) -> list[Shape]:
    """Neck and clothes, where the style shows them."""
    if not params.style.shoulders:
        return []
    identity = params.identity
    neck = np.array([[-0.34, 0.6], [0.34, 0.6], [0.38, 1.6], [-0.38, 1.6]])
    body = np.array([[-0.40, 1.12], [-1.15, 1.36], [-1.5, 3.0], [1.5, 3.0],
                     [1.15, 1.36], [0.40, 1.12], [0.0, 1.3]])  # fmt: skip
    return [
        Shape(neck, shade(identity.skin, 0.80), depth=0.0, outlined=True),
        Shape(body, identity.clothes, depth=0.0, outlined=True),
    ]


def back_hair(identity: Identity) -> list[Shape]:
    """Hair behind the head."""
    w, dark = identity.width, shade(identity.hair, 0.8)
    if identity.hair_style == "long":
        fall = np.array(
            [[-w * 1.16, -0.3], [-w * 1.3, 1.25], [w * 1.3, 1.25], [w * 1.16, -0.3]]
        )
        crown = ellipse(0.0, -0.25, w * 1.18, 0.92, 40)
        return [Shape(p, dark, depth=-0.1, outlined=True) for p in (fall, crown)]
    if identity.hair_style == "bob":
        return [
            Shape(
                rounded_box(0.0, -0.1, w * 1.24, 1.0, 3.0),
                dark,
                depth=-0.1,
                outlined=True,
            )
        ]
    if identity.hair_style == "curly":
        return [
            Shape(ellipse(x * w * 1.05, y, 0.27, 0.27), dark, depth=-0.1, outlined=True)
            for x, y in ((-1, -0.05), (-1.03, -0.4), (1, -0.05), (1.03, -0.4))
        ]
    if identity.hair_style == "bun":
        return [Shape(ellipse(0.0, -1.16, 0.32, 0.27), dark, depth=-0.3, outlined=True)]
    return []


def ears(identity: Identity) -> list[Shape]:
    """Both ears."""
    shapes = []
    for side in (-1.0, 1.0):
        x, r = side * identity.width, identity.ear_size
        outer = ellipse(x, 0.02, 0.75 * r, r)
        inner = ellipse(x + side * 0.02, 0.02, 0.4 * r, 0.6 * r, 12)
        shapes.append(
            Shape(outer, shade(identity.skin, 0.92), depth=0.0, outlined=True)
        )
        shapes.append(Shape(inner, shade(identity.skin, 0.74), depth=0.0))
    return shapes


def head(params: FaceParameters) -> list[Shape]:
    """Skin with its shade, blush and freckles."""
    identity, style = params.identity, params.style
    # Towards the light, as light_gain of degrade.py has it.
    light = np.array(
        [np.cos(params.scene.light_angle), np.sin(params.scene.light_angle)]
    )
    steps = 1 if style.hatching else 3
    dark = 1.0 - style.shading
    shapes = [
        Shape(_outline(identity), shade(identity.skin, dark), depth=0.0, outlined=True)
    ]
    for step in range(1, steps + 1):
        t = step / steps
        inside = _outline(identity, 1.0 - 0.10 * t) + 0.065 * t * light
        shapes.append(
            Shape(inside, shade(identity.skin, dark + (1.0 - dark) * t), depth=0.0)
        )
    if style.hatching:
        shapes += _hatching(identity, light)
    red = (
        min(255, identity.skin[0] + 14),
        int(identity.skin[1] * 0.74),
        int(identity.skin[2] * 0.74),
    )
    for side in (-1.0, 1.0):
        cheek = ellipse(side * 0.45, 0.26, 0.18, 0.14)
        shapes.append(Shape(cheek, red, alpha=0.25))
    return shapes + (_freckles(identity) if identity.freckles else [])


def _hatching(identity: Identity, light: np.ndarray) -> list[Shape]:
    across, color = np.array([-light[1], light[0]]), shade(identity.skin, 0.45)
    shapes = []
    for along in (-0.45, -0.30, -0.15, 0.0, 0.15, 0.30, 0.45):
        start = -light * (0.80 * identity.width) + across * along
        stroke = np.array([start, start + light * 0.13 + across * 0.08])
        shapes.append(Shape(stroke, color, 0.02, depth=0.0, closed=False))
    return shapes


def _freckles(identity: Identity) -> list[Shape]:
    color = shade(identity.skin, 0.74)
    spots = (
        (-0.42, 0.16),
        (-0.33, 0.22),
        (-0.50, 0.24),
        (0.42, 0.16),
        (0.33, 0.22),
        (0.50, 0.24),
    )
    return [Shape(ellipse(x, y, 0.024, 0.024, 12), color) for x, y in spots]


def beard(identity: Identity) -> list[Shape]:
    """Hair on chin and lip, drawn under the mouth."""
    kind, color, y = identity.beard, shade(identity.hair, 0.92), identity.mouth_y
    if kind == "none":
        return []
    if kind in ("full", "stubble"):
        ring = _outline(identity, 1.0)[1:20]  # right temple, chin, left temple
        w = identity.width
        cheek = np.array([[0.90 * w, 0.12], [0.70 * w, 0.36], [0.40 * w, y - 0.10],
                          [0.0, y - 0.16]])  # fmt: skip
        jaw = np.concatenate([ring, cheek[:3] * (-1.0, 1.0), cheek[::-1]])
        return [Shape(jaw, color, alpha=1.0 if kind == "full" else 0.3, depth=0.15)]
    if kind == "goatee":
        return [Shape(rounded_box(0.0, y + 0.33, 0.20, 0.19, 3.0), color)]
    left = curve(-0.30, 0.0, (y - 0.03, y - 0.15, y - 0.16), 7)
    right = curve(0.0, 0.30, (y - 0.16, y - 0.15, y - 0.03), 7)
    under = curve(0.30, -0.30, (y - 0.03, y - 0.09, y - 0.03), 7)
    return [Shape(np.concatenate([left, right, under]), color, depth=1.15)]


def _hair_front(identity: Identity) -> np.ndarray | None:
    """[n, 2] of the front edge, from the viewer's right to the left temple."""
    w, y = identity.width, identity.hairline
    kind = identity.hair_style
    if kind in ("short", "spiky", "bun"):
        return curve(0.97 * w, -0.97 * w, (-0.28, y - 0.16, -0.28), 9)
    if kind == "side":
        xs = np.array([0.97, 0.82, 0.20, -0.35, -0.80, -0.97]) * w
        return xy(xs, np.array([-0.28, y, y - 0.12, y - 0.22, y + 0.1, -0.2]))
    if kind in ("long", "bob"):
        part = 0.25 if identity.lashes > 0.5 else -0.25
        return np.array([[0.99 * w, 0.1], [0.86 * w, -0.3], [0.55 * w, y - 0.06],
                         [part * w, y - 0.24], [-0.55 * w, y - 0.06], [-0.86 * w, -0.3],
                         [-0.99 * w, 0.1]])  # fmt: skip
    if kind == "fringe":
        xs = np.linspace(0.96, -0.96, 11) * w
        return xy(xs, y + 0.04 + 0.06 * (np.arange(11) % 2))
    if kind == "curly":
        xs = np.linspace(0.96, -0.96, 9) * w
        return xy(xs, y - 0.06 + 0.07 * (np.arange(9) % 2))
    return None


def front_hair(identity: Identity) -> list[Shape]:
    """Hair over the forehead."""
    front = _hair_front(identity)
    if front is None:
        return []
    top = _top(identity, 1.08)
    if identity.hair_style == "spiky":
        top[1:-1:2] *= 1.14
    shapes = [
        Shape(np.concatenate([top, front]), identity.hair, depth=0.12, outlined=True)
    ]
    if identity.hair_style == "curly":
        shapes += [
            Shape(ellipse(x, y, 0.2, 0.2), identity.hair, depth=0.0)
            for x, y in top[2:-2:3] * 0.97
        ]
    shine = _top(identity, 0.92)[7:13] * (0.9, 1.0) + (-0.06, 0.0)
    return [
        *shapes,
        Shape(shine, shade(identity.hair, 1.2), 0.05, depth=0.0, closed=False),
    ]


def hat(identity: Identity) -> list[Shape]:
    """Beanie, cap or headband over the hair."""
    if identity.hat == "none":
        return []
    w, color, rim = identity.width, identity.hat_color, -0.52
    if identity.hat == "band":
        band = np.concatenate(
            [curve(-1.05 * w, 1.05 * w, (-0.45, -0.66, -0.45)),
             curve(1.08 * w, -1.08 * w, (-0.62, -0.86, -0.62))]
        )  # fmt: skip
        return [Shape(band, color, depth=0.2, outlined=True)]
    dome = _top(identity, 1.14)
    dome = np.concatenate([dome[dome[:, 1] < rim], [[1.1 * w, rim], [-1.1 * w, rim]]])
    brim = rounded_box(0.0, rim, 1.12 * w, 0.11)
    if identity.hat == "cap":
        brim = ellipse(0.25 * w, rim + 0.02, 1.15 * w, 0.12)
    return [
        Shape(dome, color, depth=0.1, outlined=True),
        Shape(brim, shade(color, 0.72), depth=0.3, outlined=True),
    ]


def glasses(identity: Identity) -> list[Shape]:
    """Frames and lightly tinted lenses."""
    if not identity.glasses:
        return []
    power = 2.0 if identity.glasses == 1 else 4.5
    color, x, y = identity.glasses_color, identity.eye_gap, identity.eye_y + 0.03
    shapes = []
    for side in (-1.0, 1.0):
        lens = rounded_box(side * x, y, 0.255, 0.225, power)
        shapes += [Shape(lens, (225, 236, 244), alpha=0.12), Shape(lens, color, 0.042)]
        arm = np.array(
            [[side * (x + 0.25), y - 0.05], [side * identity.width, y - 0.08]]
        )
        shapes.append(Shape(arm, color, 0.036, depth=0.7, closed=False))
    bridge = curve(-x + 0.245, x - 0.245, (y - 0.03, y - 0.07, y - 0.03), 5)
    return [*shapes, Shape(bridge, color, 0.04, closed=False)]

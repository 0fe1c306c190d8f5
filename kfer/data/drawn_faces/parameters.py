"""Everything that makes one drawn face, and how it is drawn by lot."""

import colorsys
import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kfer.data.drawn_faces import expression as expression_lib
from kfer.data.drawn_faces.expression import Expression
from kfer.data.drawn_faces.style import SOFT, FaceStyle

Color = tuple[int, ...]  # red, green, blue in 0..255

HAIR_STYLES = (
    "bald",
    "short",
    "side",
    "long",
    "bob",
    "curly",
    "spiky",
    "bun",
    "fringe",
)
BEARDS = ("none", "full", "moustache", "goatee", "stubble")
HATS = ("none", "beanie", "cap", "band")
OCCLUDERS = ("none", "hand", "bar", "scarf", "shadow")

_SKIN = (
    (255, 224, 196), (246, 206, 172), (236, 188, 150), (222, 167, 122),
    (196, 136, 94), (164, 106, 70), (128, 80, 52), (98, 62, 44),
)  # fmt: skip
_HAIR = (
    (34, 28, 28), (62, 42, 32), (104, 66, 40), (150, 100, 54), (214, 168, 92),
    (236, 208, 140), (172, 72, 40), (150, 150, 156), (224, 222, 220),
    (88, 74, 140), (196, 92, 130),
)  # fmt: skip
_FRAMES = ((30, 30, 34), (110, 60, 30), (150, 40, 50), (60, 80, 120))
_IRIS = ((70, 46, 30), (96, 62, 34), (62, 104, 66), (58, 104, 150), (104, 120, 128))


@dataclasses.dataclass(frozen=True)
class Identity:
    """Who is drawn. Lengths are in head half-heights."""

    width: float  # head half-width
    jaw: float  # how much the lower half narrows, in [0, 0.4]
    square: float  # exponent of the outline: 2 an ellipse, above it squarer
    skin: Color
    hair_style: str
    hair: Color
    hairline: float  # y of the hair's front edge, negative is up
    brow_thickness: float
    brow_arch: float
    brow_rest: float  # slope of the brows at rest, added to the expression's
    brow_height: float
    eye_gap: float  # x of the eye centres
    eye_size: float
    eye_y: float
    iris: Color
    lashes: float
    nose_kind: int  # 0 hook, 1 button, 2 long
    nose_size: float
    mouth_y: float
    mouth_width: float
    mouth_rest: float  # curve of the mouth at rest, added to the expression's
    lip: Color
    lip_thickness: float
    ear_size: float
    beard: str
    glasses: int  # 0 none, 1 round, 2 square
    glasses_color: Color
    hat: str
    hat_color: Color
    freckles: bool
    clothes: Color


@dataclasses.dataclass(frozen=True)
class Pose:
    """Where the head is and how it is turned."""

    x: float  # head centre, fractions of the side
    y: float
    scale: float  # head half-height, a fraction of the side
    roll: float  # radians, positive clockwise
    yaw: float  # radians, positive towards greater x
    pitch: float  # radians, positive downwards
    gaze_x: float  # in [-1, 1]
    gaze_y: float


@dataclasses.dataclass(frozen=True)
class Scene:
    """Light, surroundings and camera."""

    background: str
    colors: tuple[Color, ...]  # three
    blobs: tuple[tuple[float, float, float], ...]  # x, y, radius, fractions of the side
    light_angle: float  # radians
    light: float
    exposure: float
    contrast: float
    tint: tuple[float, ...]  # of red, green, blue
    blur: float  # sigma, a fraction of the side
    noise: float  # standard deviation in grey levels
    noise_seed: int
    occluder: str
    occluder_x: float
    occluder_y: float
    occluder_angle: float
    occluder_color: Color


@dataclasses.dataclass(frozen=True)
class FaceParameters:
    """One drawn face: `draw` needs nothing else."""

    style: FaceStyle
    label: int  # class index in kfer.tasks.EXPRESSIONS
    expression: Expression
    identity: Identity
    pose: Pose
    scene: Scene


class _Lots:
    """One number after another, all made at once; a face takes about a hundred."""

    def __init__(self, rng: np.random.Generator):
        self.unit = iter(rng.random(256).tolist()).__next__

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def around(self, largest: float) -> float:
        return self.between(-largest, largest)

    def chance(self, rate: float) -> bool:
        return self.unit() < rate

    def pick(self, items: Sequence) -> Any:
        return items[int(self.unit() * len(items))]

    def vary(self, color: Color, amount: float) -> Color:
        """The colour a little lighter or darker, and a little off."""
        shift = self.around(amount)
        shifts = [shift + self.around(0.3 * amount) for _ in color]
        return tuple(
            int(min(max(c + d, 0), 255)) for c, d in zip(color, shifts, strict=True)
        )

    def color(self, low: float, high: float) -> Color:
        """Any hue, with a brightness from low to high."""
        hue, saturation = self.unit(), self.between(0.08, 0.55)
        rgb = colorsys.hsv_to_rgb(hue, saturation, self.between(low, high))
        return tuple(int(255 * c) for c in rgb)


def _lip_color(lots: _Lots, skin: Color) -> Color:
    if lots.chance(0.25):
        return lots.vary((196, 62, 78), 30)
    factor = lots.between(0.62, 0.85)
    return int(skin[0] * 0.92), int(skin[1] * factor), int(skin[2] * factor)


def _sample_identity(lots: _Lots, style: FaceStyle) -> Identity:
    between = lots.between
    skin = lots.vary(lots.pick(_SKIN), 12)
    return Identity(
        width=between(0.70, 0.90),
        jaw=between(0.06, 0.34),
        square=between(2.0, 2.7),
        skin=skin,
        hair_style=lots.pick(HAIR_STYLES),
        hair=lots.vary(lots.pick(_HAIR), 14),
        hairline=between(-0.72, -0.50),
        brow_thickness=between(0.05, 0.10),
        brow_arch=between(0.0, 0.06),
        brow_rest=between(-0.12, 0.12),
        brow_height=between(0.27, 0.32),
        eye_gap=between(0.33, 0.40),
        eye_size=between(0.85, 1.12),
        eye_y=between(-0.16, -0.08),
        iris=lots.vary(lots.pick(_IRIS), 16),
        lashes=lots.unit(),
        nose_kind=lots.pick((0, 1, 2)),
        nose_size=between(0.75, 1.3),
        mouth_y=between(0.46, 0.54),
        mouth_width=between(0.31, 0.40),
        mouth_rest=between(-0.08, 0.18),
        lip=_lip_color(lots, skin),
        lip_thickness=between(0.035, 0.065),
        ear_size=between(0.14, 0.23),
        beard=lots.pick(BEARDS[1:]) if lots.chance(style.beard_rate) else "none",
        glasses=lots.pick((1, 2)) if lots.chance(style.glasses_rate) else 0,
        glasses_color=lots.pick(_FRAMES),
        hat=lots.pick(HATS[1:]) if lots.chance(style.hat_rate) else "none",
        hat_color=lots.color(0.3, 0.9),
        freckles=lots.chance(0.12),
        clothes=lots.color(0.25, 0.9),
    )


def _sample_pose(lots: _Lots, style: FaceStyle) -> Pose:
    return Pose(
        x=style.centre[0] + lots.around(style.offset),
        y=style.centre[1] + lots.around(style.offset),
        scale=lots.between(*style.scale),
        roll=math.radians(lots.around(style.roll)),
        yaw=math.radians(lots.around(style.yaw)),
        pitch=math.radians(lots.around(style.pitch)),
        gaze_x=lots.around(0.7),
        gaze_y=lots.around(0.5),
    )


def _sample_scene(lots: _Lots, style: FaceStyle) -> Scene:
    between = lots.between
    return Scene(
        background=lots.pick(style.backgrounds),
        colors=tuple(lots.color(0.25, 1.0) for _ in range(3)),
        blobs=tuple(
            (between(-0.1, 1.1), between(-0.1, 1.1), between(0.05, 0.35))
            for _ in range(5)
        ),
        light_angle=between(0.0, 2.0 * math.pi),
        light=between(0.0, style.light),
        exposure=lots.around(style.exposure),
        contrast=between(0.85, 1.15),
        tint=tuple(lots.around(style.tint) for _ in range(3)),
        blur=style.blur * lots.unit() ** 1.5,
        noise=between(0.0, style.noise),
        noise_seed=int(lots.unit() * 2**31),
        occluder=lots.pick(OCCLUDERS[1:])
        if lots.chance(style.occlusion_rate)
        else "none",
        occluder_x=lots.pick((-1.0, 1.0)) * between(0.3, 0.75),
        occluder_y=between(-0.2, 0.75),
        occluder_angle=lots.around(0.5),
        occluder_color=lots.color(0.2, 0.8),
    )


def sample_face(
    rng: np.random.Generator, style: FaceStyle = SOFT, label: int | None = None
) -> FaceParameters:
    """One face drawn by lot.

    Args:
      rng: source of all that varies; `face_rng` gives the one of face i of a seed.
      style: what varies and how far.
      label: class index to show; drawn uniformly over the seven classes if None.
    """
    if label is None:
        label = int(rng.integers(len(expression_lib.CLASSES)))
    expression = expression_lib.sample_expression(rng, label, style)
    lots = _Lots(rng)
    return FaceParameters(
        style=style,
        label=label,
        expression=expression,
        identity=_sample_identity(lots, style),
        pose=_sample_pose(lots, style),
        scene=_sample_scene(lots, style),
    )


def face_rng(seed: int, index: int) -> np.random.Generator:
    """The generator of face `index` of seed `seed`: a function of these alone."""
    return np.random.default_rng([seed, index])


def valence_arousal(params: FaceParameters) -> tuple[float, float]:
    """(valence, arousal) in [-1, 1] of the drawn expression."""
    return expression_lib.valence_arousal(params.expression)

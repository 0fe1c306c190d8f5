"""Expression features, and the class, valence and arousal they stand for.

A face's expression is eleven numbers, the muscle movements that the drawing shows.
Class, valence and arousal are functions of these alone: docs/design/synthetic_faces.md.
"""

from typing import NamedTuple

import numpy as np

from kfer import tasks as tasks_lib

CLASSES = tasks_lib.EXPRESSIONS[:7]
NEUTRAL = CLASSES.index("neutral")


class Expression(NamedTuple):
    """Drawn features; 0 is the face at rest. Ranges are LOW..HIGH."""

    smile: float = 0.0  # mouth corners up (+) or down (-)
    open: float = 0.0  # jaw dropped
    wide: float = 0.0  # mouth stretched (+) or rounded (-)
    lip_raise: float = 0.0  # upper lip pulled up
    teeth: float = 0.0  # clenched teeth bared
    brow_raise: float = 0.0  # brows up (+) or down (-)
    brow_slope: float = 0.0  # inner ends of the brows up (+) or down (-)
    furrow: float = 0.0  # brows drawn together
    eye_open: float = 0.0  # eyes widened (+) or narrowed (-)
    cheek: float = 0.0  # cheeks and lower lids raised
    nose_wrinkle: float = 0.0  # nose wrinkled, folds beside it


FEATURES = Expression._fields
LOW = np.array([-1, 0, -1, 0, 0, -1, -1, 0, -1, 0, 0], np.float64)
HIGH = np.ones(len(FEATURES))

# One row per class at strength 1.
PROTOTYPES = np.array(
    [
        Expression(),
        Expression(smile=1.0, open=0.35, wide=0.5, cheek=0.7, eye_open=-0.1),
        Expression(smile=-0.8, wide=-0.2, brow_slope=0.85, eye_open=-0.55, furrow=0.2),
        Expression(open=0.95, wide=-0.65, brow_raise=0.85, eye_open=0.75),
        Expression(
            smile=-0.5, open=0.35, wide=0.5, brow_raise=0.5, brow_slope=0.75,
            furrow=0.3, eye_open=0.8,
        ),
        Expression(
            smile=-0.4, open=0.1, lip_raise=0.95, brow_raise=-0.4, brow_slope=-0.3,
            furrow=0.3, eye_open=-0.5, cheek=0.5, nose_wrinkle=0.95,
        ),
        Expression(
            smile=-0.5, wide=0.2, teeth=0.7, brow_raise=-0.7, brow_slope=-0.9,
            furrow=0.9, eye_open=0.2, nose_wrinkle=0.2,
        ),
    ]
)  # fmt: skip

_DIRECTIONS = PROTOTYPES[1:] / np.linalg.norm(PROTOTYPES[1:], axis=1, keepdims=True)

# Shorter than this, an expression is neutral.
NEUTRAL_LENGTH = 0.5

# The class whose share is mixed into another, beside itself: what annotators confuse.
NEIGHBOURS = {
    name: tuple(CLASSES.index(other) for other in others)
    for name, others in {
        "happy": ("surprise",),
        "sad": ("fear", "disgust", "anger"),
        "surprise": ("fear",),
        "fear": ("surprise", "sad"),
        "disgust": ("anger", "sad"),
        "anger": ("disgust", "sad"),
    }.items()
}

# Valence and arousal of each feature; see valence_arousal.
VALENCE = Expression(
    smile=0.70, open=0.05, wide=-0.10, lip_raise=-0.20, teeth=-0.15, brow_raise=0.05,
    brow_slope=-0.20, furrow=-0.30, eye_open=0.0, cheek=0.25, nose_wrinkle=-0.30,
)  # fmt: skip
AROUSAL = Expression(
    smile=0.25, open=0.35, wide=0.10, lip_raise=0.20, teeth=0.45, brow_raise=0.15,
    brow_slope=-0.05, furrow=0.55, eye_open=0.65, cheek=0.15, nose_wrinkle=0.40,
)  # fmt: skip


def classify(features: Expression | np.ndarray) -> int:
    """The class index these features show.

    Neutral if the feature vector is shorter than NEUTRAL_LENGTH, else the class whose
    prototype points in the most similar direction (greatest cosine).
    """
    values = np.asarray(features, np.float64)
    if values @ values < NEUTRAL_LENGTH**2:
        return NEUTRAL
    return 1 + int(np.argmax(_DIRECTIONS @ values))


def valence_arousal(features: Expression) -> tuple[float, float]:
    """(valence, arousal): the features times VALENCE and AROUSAL, held to [-1, 1]."""
    values = np.asarray(features, np.float64)
    pair = np.array([VALENCE, AROUSAL]) @ values
    valence, arousal = np.clip(pair, -1.0, 1.0).tolist()
    return valence, arousal


def _draw_features(rng: np.random.Generator, label: int, style) -> np.ndarray:
    if label == NEUTRAL:
        other = int(rng.integers(1, len(CLASSES)))
        values = PROTOTYPES[other] * rng.uniform(0.0, 0.25)
        return values + rng.normal(0.0, 0.6 * style.spread, len(FEATURES))
    others = NEIGHBOURS[CLASSES[label]]
    share = rng.uniform(0.0, style.blend)
    other = others[int(rng.integers(len(others)))]
    mixed = (1.0 - share) * PROTOTYPES[label] + share * PROTOTYPES[other]
    values = mixed * rng.uniform(*style.strength)
    return values + rng.normal(0.0, style.spread, len(FEATURES))


def sample_expression(rng: np.random.Generator, label: int, style) -> Expression:
    """Features that show class `label`, drawn around its prototype.

    A strength, a share of a neighbouring class and a spread are drawn
    (`style.strength`, `style.blend`, `style.spread`) until `classify` gives `label`, so
    that classes meet at their borders and every label is right by definition.
    """
    for _ in range(50):
        values = np.clip(_draw_features(rng, label, style), LOW, HIGH)
        if classify(values) == label:
            return Expression(*values.tolist())
    return Expression(*PROTOTYPES[label].tolist())

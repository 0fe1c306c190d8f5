"""Drawn faces; what they show is a function of what is drawn."""

from kfer.data.drawn_faces.drawing import draw
from kfer.data.drawn_faces.geometry import box, eyes
from kfer.data.drawn_faces.parameters import (
    FaceParameters,
    face_rng,
    sample_face,
    valence_arousal,
)
from kfer.data.drawn_faces.style import INK, SOFT, STYLES, FaceStyle, face_style

__all__ = [
    "INK",
    "SOFT",
    "STYLES",
    "FaceParameters",
    "FaceStyle",
    "box",
    "draw",
    "eyes",
    "face_rng",
    "face_style",
    "sample_face",
    "valence_arousal",
]

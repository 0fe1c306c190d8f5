import dataclasses

import numpy as np
import pytest

from kfer.data.drawn_faces import occlusion
from kfer.data.drawn_faces.drawing import draw
from kfer.data.drawn_faces.parameters import OCCLUDERS, face_rng, sample_face

FACE = sample_face(face_rng(0, 0))


def covered(kind, **fields):
    scene = dataclasses.replace(
        FACE.scene, occluder=kind, noise=0.0, blur=0.0, **fields
    )
    return dataclasses.replace(FACE, scene=scene)


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_an_occluder_changes_a_part_of_the_picture_only(kind):
    free, hidden = (draw(covered(k), 64).astype(int) for k in ("none", kind))
    changed = np.mean(np.abs(free - hidden).max(axis=-1) > 8)
    if kind == "none":
        assert changed == 0.0
    else:
        assert 0.03 < changed < 0.6


def test_the_hand_comes_from_its_side():
    for side in (-1.0, 1.0):
        shapes = occlusion.hand(covered("hand", occluder_x=0.5 * side))
        assert np.sign(np.mean([s.points[:, 0].mean() for s in shapes])) == side


def test_the_scarf_leaves_the_eyes_free():
    for x in (0.3, 0.75):
        for shape in occlusion.scarf(covered("scarf", occluder_x=x)):
            assert shape.points[:, 1].min() > 0.45

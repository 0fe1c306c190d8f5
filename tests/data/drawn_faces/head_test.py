import dataclasses

import numpy as np
import pytest

from kfer.data.drawn_faces import head, parameters
from kfer.data.drawn_faces.parameters import face_rng, sample_face
from kfer.data.drawn_faces.style import INK

FACE = sample_face(face_rng(0, 0))


def person(**fields):
    return dataclasses.replace(FACE.identity, **fields)


def test_shade_lies_away_from_the_light():
    scene = dataclasses.replace(FACE.scene, light_angle=0.0)  # light from the right
    shapes = head.head(dataclasses.replace(FACE, scene=scene))
    dark, lit = shapes[0], shapes[3]
    assert sum(dark.color) < sum(lit.color) and lit.color == FACE.identity.skin
    # The lit part reaches further right than left within the whole head.
    right = dark.points[:, 0].max() - lit.points[:, 0].max()
    left = lit.points[:, 0].min() - dark.points[:, 0].min()
    assert 0 <= right < left


def test_ink_is_hatched_and_has_no_shoulders():
    inked = dataclasses.replace(FACE, style=INK)
    assert head.shoulders(inked) == [] and len(head.shoulders(FACE)) == 2
    strokes = [s for s in head.head(inked) if s.width]
    assert len(strokes) == 7


@pytest.mark.parametrize("kind", parameters.HAIR_STYLES)
def test_hair_stays_off_the_eyes_and_around_the_head(kind):
    shapes = head.front_hair(person(hair_style=kind, lashes=0.2))
    assert bool(shapes) == (kind != "bald")
    for shape in shapes:
        middle = np.abs(shape.points[:, 0]) < 0.5
        assert np.all(shape.points[middle, 1] < -0.35)
    for shape in [*shapes, *head.back_hair(person(hair_style=kind))]:
        assert np.all(np.abs(shape.points) < 1.6)


@pytest.mark.parametrize("kind", parameters.BEARDS)
def test_beards_lie_around_the_mouth(kind):
    for shape in head.beard(person(beard=kind)):
        assert shape.points[:, 1].min() > 0.0
    assert bool(head.beard(person(beard=kind))) == (kind != "none")


@pytest.mark.parametrize("kind", parameters.HATS)
def test_hats_sit_above_the_eyes(kind):
    shapes = head.hat(person(hat=kind))
    assert bool(shapes) == (kind != "none")
    for shape in shapes:
        assert shape.points[:, 1].max() < FACE.identity.eye_y


def test_glasses_frame_the_eyes():
    assert head.glasses(person(glasses=0)) == []
    identity = person(glasses=1)
    lens = head.glasses(identity)[0].points
    middle = 0.5 * (lens.min(axis=0) + lens.max(axis=0))
    np.testing.assert_allclose(
        middle, [-identity.eye_gap, identity.eye_y + 0.03], atol=1e-9
    )


def test_ears_are_at_the_sides():
    outer = [shape.points[:, 0].mean() for shape in head.ears(person())[::2]]
    np.testing.assert_allclose(outer, [-FACE.identity.width, FACE.identity.width])

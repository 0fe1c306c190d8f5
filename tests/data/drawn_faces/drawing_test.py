import dataclasses

import numpy as np
import pytest

from kfer.data import drawn_faces as faces
from kfer.data.drawn_faces import drawing
from kfer.data.drawn_faces.expression import PROTOTYPES, Expression
from kfer.data.drawn_faces.parameters import face_rng, sample_face
from kfer.data.drawn_faces.style import INK, SOFT
from kfer.errors import UserError

CLEAN = dataclasses.replace(
    SOFT, noise=0.0, blur=0.0, occlusion_rate=0.0, glasses_rate=0.0, light=0.0
)


@pytest.mark.parametrize("style", [SOFT, INK])
@pytest.mark.parametrize("size", [32, 48, 64, 96])
def test_a_picture_is_a_function_of_its_parameters(style, size):
    face = sample_face(face_rng(0, 1), style)
    picture = faces.draw(face, size)
    assert picture.shape == (size, size, 3) and picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, faces.draw(face, size))


def test_no_two_faces_are_alike():
    pictures = {
        faces.draw(sample_face(face_rng(0, i)), 32).tobytes() for i in range(50)
    }
    assert len(pictures) == 50


def test_every_shape_can_be_drawn_in_both_styles():
    for style in (SOFT, INK):
        for i in range(150):
            picture = faces.draw(sample_face(face_rng(9, i), style), 32)
            assert picture.std() > 8


def test_the_eyes_are_where_they_are_said_to_be():
    # Whites are brighter, pupils darker than the skin around: look for the spread.
    found = 0
    for i in range(20):
        face = sample_face(face_rng(2, i), CLEAN)
        face = dataclasses.replace(face, expression=Expression(eye_open=0.5))
        picture = faces.draw(face, 96).astype(float).mean(axis=-1)
        for x, y in faces.eyes(face, 96):
            at = picture[round(y) - 5 : round(y) + 6, round(x) - 6 : round(x) + 7]
            below = picture[round(y) + 9 : round(y) + 13, round(x) - 6 : round(x) + 7]
            found += np.ptp(at) > 2 * np.ptp(below)
    assert found >= 38


def test_the_box_is_as_large_as_the_head():
    face = sample_face(face_rng(4, 4), CLEAN)
    width, height = faces.box(face, 64)[2:]
    assert width == pytest.approx(128 * face.pose.scale * face.identity.width, rel=0.15)
    assert height == pytest.approx(128 * face.pose.scale, rel=0.1)


def test_an_expression_changes_the_face_and_not_its_surroundings():
    face = sample_face(face_rng(0, 2), CLEAN)
    calm, angry = (
        faces.draw(dataclasses.replace(face, expression=Expression(*PROTOTYPES[k])), 64)
        for k in (0, 6)
    )
    changed = np.abs(calm.astype(int) - angry).max(axis=-1) > 12
    x, y, width, height = faces.box(face, 64)
    inside = np.zeros_like(changed)
    inside[int(y) : int(y + height) + 1, int(x) : int(x + width) + 1] = True
    assert changed.sum() > 60
    assert not np.any(changed & ~inside)


def test_the_same_face_at_two_sizes():
    face = sample_face(face_rng(0, 5), CLEAN)
    small, large = faces.draw(face, 32), faces.draw(face, 64)
    halved = large.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - small).mean() < 6


def test_a_translucent_shape_is_mixed_where_it_lies():
    canvas = np.zeros((20, 20, 3), np.uint8)
    corners = np.array([[8, 6], [14, 6], [14, 12], [8, 12]], np.int32)
    shape = drawing.Shape(corners, (200, 100, 50), alpha=0.5)
    placed = drawing._Placed(corners << 4, [8, 6], [14, 12])
    drawing._blend(canvas, placed, shape, [200, 100, 50], 1)
    assert canvas[9, 11].tolist() == [100, 50, 25]
    assert not canvas[:5].any() and not canvas[:, :7].any()
    assert not canvas[14:].any() and not canvas[:, 16:].any()


def test_a_shape_outside_the_picture_is_not_blended():
    canvas = np.zeros((20, 20, 3), np.uint8)
    corners = np.array([[30, 30], [40, 30], [40, 40]], np.int32)
    placed = drawing._Placed(corners << 4, [30, 30], [40, 40])
    drawing._blend(
        canvas, placed, drawing.Shape(corners, (9, 9, 9), alpha=0.5), [9, 9, 9], 1
    )
    assert not canvas.any()


def test_saturation_fades_to_grey():
    grey = drawing._colors([drawing.Shape(np.zeros((1, 2)), (100, 200, 50))], 0.0)
    # 0.3 * 100 + 0.59 * 200 + 0.11 * 50 = 153.5
    assert grey == [[153, 153, 153]]
    same = drawing._colors([drawing.Shape(np.zeros((1, 2)), (100, 200, 50))], 1.0)
    assert same == [[100, 200, 50]]


@pytest.mark.parametrize("size", [0, 15, 2000])
def test_a_size_out_of_range_is_told(size):
    with pytest.raises(UserError, match=f"16 to 1024 pixels, not {size}"):
        faces.draw(sample_face(face_rng(0, 0)), size)

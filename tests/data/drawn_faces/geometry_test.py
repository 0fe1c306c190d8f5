import dataclasses

import numpy as np
import pytest

from kfer.data.drawn_faces import geometry
from kfer.data.drawn_faces.parameters import Pose, face_rng, sample_face

FRONT = Pose(0.5, 0.5, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0)


def posed(**fields):
    return dataclasses.replace(FRONT, **fields)


def test_ellipse_and_curve_go_through_their_points():
    ring = geometry.ellipse(1.0, 2.0, 3.0, 0.5, 12)
    np.testing.assert_allclose(ring[0], [4.0, 2.0])
    np.testing.assert_allclose(ring[3], [1.0, 2.5])
    np.testing.assert_allclose(((ring - (1, 2)) / (3, 0.5)) ** 2 @ [1, 1], np.ones(12))
    line = geometry.curve(-1.0, 3.0, (0.0, 5.0, 2.0), 9)
    np.testing.assert_allclose(line[[0, 4, 8]], [[-1, 0], [1, 5], [3, 2]])


def test_a_rounded_box_lies_between_ellipse_and_rectangle():
    box = geometry.rounded_box(0.0, 0.0, 2.0, 1.0)
    assert np.all(np.abs(box) <= (2.0 + 1e-9, 1.0 + 1e-9))
    assert np.all((box / (2, 1)) ** 2 @ [1, 1] >= 1 - 1e-9)


def test_head_outline_narrows_below_only():
    outline = geometry.head_outline(0.8, 0.3, 2.0)
    np.testing.assert_allclose(outline[0], [0.8, 0.0], atol=1e-12)
    np.testing.assert_allclose(outline[10], [0.0, 1.0], atol=1e-12)
    below = outline[np.isclose(outline[:, 1], np.sqrt(0.5))][0]
    above = outline[np.isclose(outline[:, 1], -np.sqrt(0.5))][-1]
    # 0.8 cos 45 degrees, times 1 - 0.3 sin(45 degrees)^1.5 below.
    assert above[0] == pytest.approx(0.8 * np.sqrt(0.5))
    assert below[0] == pytest.approx(0.8 * np.sqrt(0.5) * (1 - 0.3 * 0.5**0.75))


def test_placing_by_hand():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, -1.0]])
    # 0.5 * 100 - 0.5 = 49.5; a unit is 40 pixels.
    np.testing.assert_allclose(
        geometry.place(points, FRONT, 100), [[49.5, 49.5], [89.5, 49.5], [49.5, 9.5]]
    )
    # A quarter turn clockwise takes right to down and up to right.
    np.testing.assert_allclose(
        geometry.place(points, posed(roll=np.pi / 2), 100)[1:],
        [[49.5, 89.5], [89.5, 49.5]],
    )


def test_turning_moves_the_middle_of_the_face_most():
    points = np.array([[0.0, 0.0], [0.9, 0.0]])
    turned = geometry.turn(points, 1.0, posed(yaw=0.3))
    # At the middle the ball is 0.62 deep.
    assert turned[0, 0] == pytest.approx(0.62 * np.sin(0.3))
    assert 0 < turned[1, 0] - 0.9 * np.cos(0.3) < turned[0, 0]
    np.testing.assert_array_equal(geometry.turn(points, 0.0, posed(yaw=0.3)), points)
    assert geometry.turn(points, 1.0, posed(pitch=0.2))[0, 1] == pytest.approx(
        0.62 * np.sin(0.2)
    )


def test_eyes_by_hand():
    face = sample_face(face_rng(0, 0))
    face = dataclasses.replace(
        face,
        pose=FRONT,
        identity=dataclasses.replace(face.identity, eye_gap=0.35, eye_y=-0.1),
    )
    # (0.5 -+ 0.35 * 0.4) * 100 - 0.5 and (0.5 - 0.1 * 0.4) * 100 - 0.5
    np.testing.assert_allclose(geometry.eyes(face, 100), [[35.5, 45.5], [63.5, 45.5]])


def test_eyes_scale_with_the_picture_and_the_left_one_comes_first():
    for i in range(20):
        face = sample_face(face_rng(3, i))
        small, large = (np.array(geometry.eyes(face, size)) for size in (32, 96))
        np.testing.assert_allclose((small + 0.5) * 3, large + 0.5)
        assert small[0, 0] < small[1, 0]
        assert np.all((small > 0) & (small < 32))


def test_box_surrounds_the_upright_head():
    face = sample_face(face_rng(0, 0))
    face = dataclasses.replace(
        face,
        pose=FRONT,
        identity=dataclasses.replace(face.identity, width=0.8, jaw=0.0, square=2.0),
    )
    # Left 50 - 0.8 * 40 - 0.5, top 50 - 40 - 0.5.
    np.testing.assert_allclose(geometry.box(face, 100), [17.5, 9.5, 64.0, 80.0])

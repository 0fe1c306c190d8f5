"""Boxes against boxes, by hand."""

import pytest

from kfer.faces import face


def test_overlap_by_hand():
    # 10 x 10 moved by 5: 50 shared of 150.
    assert face.overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert face.overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert face.overlap((0, 0, 10, 10), (10, 0, 10, 10)) == 0
    # Apart both ways: two negative sides don't make an area.
    assert face.overlap((0, 0, 10, 10), (20, 20, 10, 10)) == 0
    assert face.overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_a_box_is_cut_to_the_picture():
    assert face.inside((-3, 2, 10, 10), 20, 8) == (0, 2, 7, 6)
    assert face.inside((1, 2, 3, 4), 20, 8) == (1, 2, 3, 4)
    assert face.inside((20, 2, 3, 4), 20, 8) is None


def test_the_largest_face_comes_first():
    small = face.Face((0, 0, 5, 5), (), 1.0)
    left = face.Face((1, 0, 10, 10), (), 0.5)
    right = face.Face((9, 0, 10, 10), (), 0.9)
    assert face.ordered([small, right, left]) == [left, right, small]


def test_eyes_are_the_first_two_landmarks():
    points = ((1.0, 2.0), (3.0, 2.0), (2.0, 3.0))
    assert face.Face((0, 0, 5, 5), points, 1.0).eyes == points[:2]
    assert face.Face((0, 0, 5, 5), (), 1.0).eyes is None

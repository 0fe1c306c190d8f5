"""Faces keep their ids while they are followed."""

from kfer.faces.face import Face
from kfer.faces.tracking import Tracker


def face(x, y=0.0, side=10.0):
    return Face((x, y, side, side), (), 1.0)


def test_a_moving_face_keeps_its_id_whatever_the_order():
    tracker = Tracker()
    assert tracker.update([face(0), face(100)]) == [0, 1]
    # 3 of 10 px further: 70 of 130 px overlap.
    assert tracker.update([face(103), face(3)]) == [1, 0]
    assert tracker.update([face(6), face(300), face(106)]) == [0, 2, 1]


def test_a_jump_is_a_new_face():
    tracker = Tracker()
    tracker.update([face(0)])
    # 6 px: 40 of 160 px overlap, 0.25 < 0.3; 5 px: 50 of 150.
    assert tracker.update([face(6)]) == [1]
    assert tracker.update([face(11)]) == [1]


def test_the_best_pair_comes_first_and_each_track_goes_once():
    tracker = Tracker()
    tracker.update([face(0)])
    assert tracker.update([face(4), face(1)]) == [1, 0]


def test_a_face_that_is_missed_comes_back_until_its_track_ends():
    tracker = Tracker(patience=2)
    tracker.update([face(0), face(100)])
    tracker.update([face(0)])
    tracker.update([face(0)])
    assert tracker.alive == {0, 1}
    assert tracker.update([face(0), face(101)]) == [0, 1]
    for _ in range(3):
        tracker.update([face(0)])
    assert tracker.alive == {0}
    assert tracker.update([face(0), face(101)]) == [0, 2]

"""Averages over time, by hand."""

import pytest

from kfer.serving import predict
from kfer.serving.smoothing import Smoother

CLASSES = ["sad", "glad"]
TARGETS = [
    {"name": "mood", "classes": CLASSES, "dimensions": []},
    {"name": "va", "classes": [], "dimensions": ["valence", "arousal"]},
]


def answer(glad, valence=0.0):
    return {
        "mood": predict.class_answer(CLASSES, [1 - glad, glad]),
        "va": {"valence": valence, "arousal": 0.5},
    }


def test_a_half_life_halves_what_was():
    smoother = Smoother(TARGETS, 2.0)
    assert smoother.add(0, 10.0, answer(1.0, 1.0)) == answer(1.0, 1.0)
    # Two seconds later half of 1 is left, one more second sqrt(1/2) of that.
    found = smoother.add(0, 12.0, answer(0.0, -1.0))
    assert found["mood"]["probabilities"] == pytest.approx({"sad": 0.5, "glad": 0.5})
    assert found["va"] == pytest.approx({"valence": 0.0, "arousal": 0.5})
    found = smoother.add(0, 13.0, answer(0.0))
    kept = 0.5 * 0.5**0.5
    assert found["mood"]["class"] == "sad"
    assert found["mood"]["confidence"] == pytest.approx(1 - kept)
    assert sum(found["mood"]["probabilities"].values()) == pytest.approx(1)


def test_the_number_of_frames_between_makes_no_difference():
    often, seldom = Smoother(TARGETS, 1.0), Smoother(TARGETS, 1.0)
    for smoother in (often, seldom):
        smoother.add(0, 0.0, answer(1.0))
    for tenth in range(1, 10):
        often.add(0, tenth / 10, answer(0.25))
    expected = seldom.add(0, 1.0, answer(0.25))["mood"]["confidence"]
    assert often.add(0, 1.0, answer(0.25))["mood"]["confidence"] == pytest.approx(
        expected
    )


def test_faces_are_apart_and_those_that_went_are_forgotten():
    smoother = Smoother(TARGETS, 1.0)
    smoother.add(0, 0.0, answer(1.0))
    assert smoother.add(1, 0.1, answer(0.0)) == answer(0.0)
    smoother.keep([1, 7])
    assert smoother.add(0, 0.2, answer(0.0)) == answer(0.0)
    assert list(smoother._last) == [1, 0]


def test_a_clock_that_jumps_back_leaves_shares_that_sum_to_one():
    smoother = Smoother(TARGETS, 1.0)
    smoother.add(0, 100.0, answer(1.0))
    assert smoother.add(0, 3.0, answer(0.0)) == answer(1.0)
    found = smoother.add(0, 4.0, answer(0.0))["mood"]["probabilities"]
    assert found == pytest.approx({"sad": 0.5, "glad": 0.5})


def test_no_half_life_changes_nothing():
    smoother = Smoother(TARGETS, 0.0)
    smoother.add(0, 0.0, answer(1.0))
    assert smoother.add(0, 0.1, answer(0.0)) == answer(0.0)

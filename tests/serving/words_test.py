"""Valence and arousal in words."""

import math

import pytest

from kfer.serving import words


@pytest.mark.parametrize(
    ("degrees", "affect"),
    [
        (0, "pleasure"),
        (45, "excitement"),
        (90, "arousal"),
        (135, "distress"),
        (180, "displeasure"),
        (225, "depression"),
        (270, "sleepiness"),
        (315, "relaxation"),
        (22, "pleasure"),
        (23, "excitement"),
        (338, "pleasure"),
        (337, "relaxation"),
    ],
)
def test_affects_stand_at_russells_angles(degrees, affect):
    radians = math.radians(degrees)
    assert words.affect(0.5 * math.cos(radians), 0.5 * math.sin(radians)) == affect


def test_a_weak_affect_is_neutral():
    assert words.affect(0.06, -0.07) == "neutral"  # 0.092 from the middle
    assert words.affect(0.08, -0.08) == "relaxation"  # 0.113


def test_quadrants():
    assert words.quadrant(0.1, 0.0) == "pleasant and active"
    assert words.quadrant(-0.1, 0.2) == "unpleasant and active"
    assert words.quadrant(-0.1, -0.2) == "unpleasant and calm"
    assert words.quadrant(0.0, -0.2) == "pleasant and calm"
    assert words.quadrant(0.0, 0.0) == "neutral"


def test_the_nearest_expression_of_the_circumplex():
    # (-0.5, 0.5): anger (-0.51, 0.59) is 0.09 away, fear 0.17, disgust 0.18.
    assert words.describe(-0.5, 0.5) == {
        "quadrant": "unpleasant and active",
        "affect": "distress",
        "expression": "anger",
    }
    assert words.expression(0.8, 0.5) == "happy"
    assert words.expression(0.05, 0.0) == "neutral"

"""Places of the expressions, and means of them."""

import math

import pytest

from kfer import tasks
from kfer.data import circumplex


def test_every_expression_has_a_place():
    assert tuple(circumplex.CIRCUMPLEX) == tasks.EXPRESSIONS
    for valence, arousal in circumplex.CIRCUMPLEX.values():
        assert math.hypot(valence, arousal) <= 1.0


def test_quadrants():
    signs = {
        name: (valence > 0, arousal > 0)
        for name, (valence, arousal) in circumplex.CIRCUMPLEX.items()
    }
    assert signs["happy"] == signs["surprise"] == (True, True)
    assert signs["sad"] == (False, False)
    for name in ("fear", "disgust", "anger", "contempt"):
        assert signs[name] == (False, True)


def test_means():
    # Half happy, half sad: (.81 - .63) / 2 and (.51 - .27) / 2.
    assert circumplex.mean((0, 0.5, 0.5, 0, 0, 0, 0)) == pytest.approx((0.09, 0.12))
    assert circumplex.mean((1, 0, 0, 0, 0, 0, 0, 0)) == (0.0, 0.0)
    # Three quarters contempt, the rest fear: -.375 - .16 and .225 + .15.
    shares = (0, 0, 0, 0, 0.25, 0, 0, 0.75)
    assert circumplex.mean(shares) == pytest.approx((-0.535, 0.375))

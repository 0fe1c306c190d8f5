import dataclasses

import numpy as np
import pytest

from kfer.data.drawn_faces import features
from kfer.data.drawn_faces.expression import Expression
from kfer.data.drawn_faces.parameters import face_rng, sample_face
from kfer.data.drawn_faces.style import INK, SOFT

FACE = sample_face(face_rng(0, 0))
PERSON = dataclasses.replace(FACE.identity, mouth_rest=0.0, brow_rest=0.0)


def mouth_curve(**fields):
    """Height of the mouth's corners above its middle, positive for a smile."""
    line = features.mouth(PERSON, Expression(**fields))[0].points[:11]
    return line[5, 1] - line[0, 1]


def test_a_smile_lifts_the_corners():
    assert mouth_curve(smile=0.8) > 0.2
    assert mouth_curve(smile=-0.8) < -0.2
    assert abs(mouth_curve()) < 1e-9


def test_the_jaw_opens_the_mouth():
    def height(**fields):
        points = features.mouth(PERSON, Expression(**fields))[0].points
        return np.ptp(points[:, 1])

    assert height(open=1.0) > 0.4 > height(open=0.3) > height()


def test_a_wide_mouth_is_wider_and_a_round_one_narrower():
    def width(wide):
        return np.ptp(features.mouth(PERSON, Expression(wide=wide))[0].points[:, 0])

    assert width(1.0) > 1.3 * width(0.0) > 1.6 * width(-1.0)


def test_teeth_are_clenched_only_in_a_shut_jaw():
    colors = [s.color for s in features.mouth(PERSON, Expression(teeth=0.8))]
    assert features._TEETH in colors and features._GAP in colors
    colors = [s.color for s in features.mouth(PERSON, Expression(teeth=0.2, open=0.9))]
    assert features._GAP not in colors and features._TONGUE in colors


def brow(side, **fields):
    """Inner and outer height of a brow's upper edge, positive up."""
    shape = features.brows(PERSON, Expression(**fields))[(side + 1) // 2]
    return -shape.points[0, 1], -shape.points[8, 1]


@pytest.mark.parametrize("side", [-1, 1])
def test_brows_rise_and_slope(side):
    rest, raised = brow(side), brow(side, brow_raise=1.0)
    assert raised[0] - rest[0] == pytest.approx(0.17)
    assert brow(side, brow_raise=-1.0)[1] - rest[1] == pytest.approx(-0.11)
    inner, outer = brow(side, brow_slope=1.0)
    assert inner - rest[0] == pytest.approx(0.16)
    assert outer - rest[1] == pytest.approx(-0.11)


def test_a_furrow_draws_the_brows_together_and_adds_lines():
    frown = features.brows(PERSON, Expression(furrow=1.0))
    calm = features.brows(PERSON, Expression())
    assert len(frown) == len(calm) + 2
    assert abs(frown[1].points[0, 0]) < abs(calm[1].points[0, 0])


def white_height(style=SOFT, **fields):
    shape = features.eyes(PERSON, Expression(**fields), FACE.pose, style)[0]
    return np.ptp(shape.points[:, 1])


def test_eyes_widen_narrow_and_are_pressed_up_by_the_cheeks():
    rest = white_height()
    assert white_height(eye_open=1.0) > 1.4 * rest
    assert white_height(eye_open=-0.8) < 0.7 * rest
    assert white_height(cheek=1.0) < 0.75 * rest


@pytest.mark.parametrize("style", [SOFT, INK])
def test_the_iris_stays_between_the_lids(style):
    for eye_open in (-1.0, -0.5, 0.5):
        shapes = features.eyes(PERSON, Expression(eye_open=eye_open), FACE.pose, style)
        white, iris = shapes[0].points, shapes[1].points
        assert iris[:, 1].min() >= white[:, 1].min() - 1e-9
        assert iris[:, 1].max() <= white[:, 1].max() + 1e-9


def test_a_wrinkled_nose_has_lines():
    calm = features.nose(PERSON, Expression())
    assert len(features.nose(PERSON, Expression(nose_wrinkle=0.9))) == len(calm) + 4


def test_shade_stays_a_color():
    assert features.shade((100, 200, 250), 0.5) == (50, 100, 125)
    assert features.shade((100, 200, 250), 1.5) == (150, 255, 255)

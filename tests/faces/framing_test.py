"""Crops of faces, by hand."""

import numpy as np
import pytest

from kfer.faces import framing
from kfer.faces.face import Face


def test_a_box_becomes_a_square_with_a_tenth_on_each_side():
    # 20 x 40 around (20, 40): side 40 + 4 + 4.
    assert framing.widened((10, 20, 20, 40)) == pytest.approx((-4, 16, 48, 48))
    assert framing.widened((10, 20, 20, 40), 0) == pytest.approx((0, 20, 40, 40))


def test_as_given_is_cut_pixel_by_pixel_and_black_beyond():
    image = np.random.default_rng(0).integers(1, 256, (60, 60, 3), np.uint8)
    # 10 x 10 at (20, 30) with its margin is 12 x 12 at (19, 29).
    face = Face((20.0, 30.0, 10.0, 10.0), (), 1.0)
    found = framing.crop(image, face, framing.AS_GIVEN, 12)
    np.testing.assert_array_equal(found, image[29:41, 19:31])
    edge = Face((0.0, 30.0, 10.0, 10.0), (), 1.0)
    found = framing.crop(image, edge, framing.AS_GIVEN, 12)
    assert not found[:, 0].any()
    np.testing.assert_array_equal(found[:, 1:], image[29:41, :11])


def test_landmarks_puts_the_eyes_where_training_does():
    image = np.zeros((100, 100, 3), np.uint8)
    image[40, 40], image[40, 60] = (255, 0, 0), (0, 255, 0)
    face = Face((30.0, 20.0, 40.0, 60.0), ((40.0, 40.0), (60.0, 40.0)), 1.0)
    # 20 px apart is 0.4 of 50 px: no scaling, eyes at 15 and 35.
    found = framing.crop(image, face, framing.LANDMARKS, 50)
    assert found[15, 15].tolist() == [255, 0, 0]
    assert found[15, 35].tolist() == [0, 255, 0]


def test_no_eyes_is_an_answer_and_no_framing_is_none():
    image = np.zeros((50, 50, 3), np.uint8)
    blind = Face((10.0, 10.0, 20.0, 20.0), (), 1.0)
    assert framing.crop(image, blind, framing.LANDMARKS, 8) is None
    both = blind._replace(landmarks=((15.0, 15.0), (15.0, 15.0)))
    assert framing.crop(image, both, framing.LANDMARKS, 8) is None
    with pytest.raises(ValueError, match="framing 'none' has no crops"):
        framing.crop(image, blind, framing.NONE, 8)

"""Drawn faces have their eyes where they say."""

import numpy as np

from kfer.data.fake_roots import faces


def test_the_pupils_are_the_darkest_spots():
    rng = np.random.default_rng(0)
    for _ in range(10):
        image, eyes, (x, y, width, height) = faces.face(rng, 160, 200)
        assert image.shape == (200, 160, 3) and image.dtype == np.uint8
        assert eyes[0][0] < eyes[1][0]
        for u, v in eyes:
            assert x < u < x + width and y < v < y + height
            pupil = image[round(v) - 1 : round(v) + 2, round(u) - 1 : round(u) + 2]
            np.testing.assert_allclose(pupil.mean(axis=(0, 1)), (10, 10, 40), atol=12)


def test_same_seed_same_face():
    one, two = (faces.face(np.random.default_rng(5))[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)

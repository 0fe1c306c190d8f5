"""The eye finder on a photograph, and its choice of a pair."""

import cv2
import numpy as np
import pytest

from kfer.faces import detect
from kfer.images import decode


@pytest.fixture(scope="module")
def photograph():
    import os

    import matplotlib

    path = os.path.join(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    if not os.path.exists(path):
        pytest.skip("matplotlib's sample photograph is absent")
    with open(path, "rb") as file:
        return decode.decode(file.read())


def eyes(image):
    """Of the largest face."""
    finder = detect.EyeFinder()
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    boxes = [box for box, _ in finder.all_faces(grey)]
    return finder.eyes_of(grey, boxes[0]) if boxes else None


def test_finds_the_eyes_of_a_photograph(photograph):
    left, right = eyes(photograph)
    # Read off the picture: pupils at about (221, 193) and (306, 186) of 512 x 600.
    assert np.hypot(left[0] - 221, left[1] - 193) < 8
    assert np.hypot(right[0] - 306, right[1] - 186) < 8


def test_finds_the_same_eyes_at_half_size(photograph):
    small = photograph[: 600 // 2 * 2, : 512 // 2 * 2].reshape(300, 2, 256, 2, 3)
    found = eyes(small.mean(axis=(1, 3)).astype(np.uint8))
    for (x, y), (u, v) in zip(found, eyes(photograph), strict=True):
        assert (2 * x + 0.5, 2 * y + 0.5) == pytest.approx((u, v), abs=8)


def test_finds_nothing_in_noise():
    image = np.random.default_rng(0).integers(0, 256, (120, 120, 3), np.uint8)
    assert eyes(image) is None


def test_best_pair_takes_the_usual_distance():
    # Of 100 px of face: 42 apart is usual, 60 is possible, 15 is a brow or a nostril.
    centres = [(30.0, 40.0), (72.0, 40.0), (90.0, 41.0), (45.0, 40.0)]
    assert detect.best_pair(centres, 100) == ((30.0, 40.0), (72.0, 40.0))


def test_best_pair_refuses_a_steep_or_narrow_pair():
    assert detect.best_pair([(30.0, 40.0), (70.0, 60.0)], 100) is None
    assert detect.best_pair([(30.0, 40.0), (50.0, 40.0)], 100) is None
    assert detect.best_pair([(30.0, 40.0)], 100) is None

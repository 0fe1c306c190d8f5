"""What each package says, as faces; and a package that isn't there."""

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.faces import backends


def test_a_missing_package_is_one_line():
    with pytest.raises(UserError, match="needs no-such-package .*pip install"):
        backends._package("no_such_module", "no-such-package")


def test_yuface_numbers_are_signed_and_its_score_a_share():
    """65531 is -5: the box begins left of the picture."""
    finder = backends.Yuface.__new__(backends.Yuface)
    seen = {}

    def detect(image, conf):
        seen["pixel"] = image[0, 0].tolist()
        boxes = np.array([[65531, 3, 30, 40]], np.uint16)
        points = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 65535, 10]], np.uint16)
        return np.array([93], np.uint16), boxes, points

    finder._detect = detect
    image = np.zeros((50, 50, 3), np.uint8)
    image[0, 0] = (1, 2, 3)
    (found,) = finder(image)
    assert found.box == (-5.0, 3.0, 30.0, 40.0)
    assert found.landmarks[0] == (1.0, 2.0) and found.landmarks[4] == (-1.0, 10.0)
    assert found.score == 0.93
    assert seen["pixel"] == [3, 2, 1]  # the package takes BGR


def test_a_cascade_face_without_eyes_has_no_landmarks(monkeypatch):
    finder = backends.Cascade()
    monkeypatch.setattr(finder._finder, "all_faces", lambda grey: [((1, 2, 30, 30), 4)])
    monkeypatch.setattr(finder._finder, "eyes_of", lambda grey, box: None)
    (found,) = finder(np.zeros((50, 50, 3), np.uint8))
    assert found.box == (1.0, 2.0, 30.0, 30.0) and found.landmarks == ()
    assert found.score == 4 / 5

"""Detectors on photographs, and boxes that are the picture's own."""

import pickle

import numpy as np
import pytest
from skimage import data

from kfer.errors import UserError
from kfer.faces import detectors
from kfer.faces.face import Face, overlap
from tests.packages import needs_package

YUFACE = pytest.param("yuface", marks=needs_package("yuface"))
NAMES = [YUFACE if name == "yuface" else name for name in sorted(detectors.DETECTORS)]
# Read off the picture: the face, and the pupils.
ASTRONAUT = (178, 62, 90, 112)
PUPILS = ((202, 101), (246, 102))


@pytest.mark.parametrize("name", NAMES)
def test_the_astronaut_has_one_face_and_her_eyes(name):
    (found,) = detectors.Detector(name).detect(data.astronaut())
    assert overlap(found.box, ASTRONAUT) > 0.6
    for eye, pupil in zip(found.eyes, PUPILS):
        assert np.hypot(eye[0] - pupil[0], eye[1] - pupil[1]) < 6
    assert 0.5 < found.score <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_cup_of_coffee_has_none(name):
    assert detectors.Detector(name).detect(data.coffee()) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_large_picture_gives_boxes_in_its_own_pixels(name):
    """The photograph at 3 times its size: 1536 px, searched at 960."""
    large = data.astronaut().repeat(3, axis=0).repeat(3, axis=1)
    faces = detectors.Detector(name).detect(large)
    # The cascade takes a second thing, smaller, for a face at this size.
    assert len(faces) == (2 if name == "cascade" else 1)
    found = faces[0]
    assert overlap(found.box, tuple(3 * v for v in ASTRONAUT)) > 0.6
    # The centre of pixel p is at 3 p + 1 in the tripled picture.
    for eye, (x, y) in zip(found.eyes, PUPILS):
        assert np.hypot(eye[0] - 3 * x - 1, eye[1] - 3 * y - 1) < 18


@pytest.mark.parametrize("name", NAMES)
def test_twice_is_the_same_and_pickled_too(name):
    finder = detectors.Detector(name)
    first = finder.detect(data.astronaut())
    assert finder.detect(data.astronaut()) == first
    assert pickle.loads(pickle.dumps(finder)).detect(data.astronaut()) == first


@pytest.mark.parametrize("name", NAMES)
def test_a_face_cut_by_the_edge_keeps_its_box_inside(name):
    image = np.ascontiguousarray(data.astronaut()[70:300, 185:420])
    for found in detectors.Detector(name).detect(image):
        x, y, width, height = found.box
        assert x >= 0 and y >= 0 and width > 0 and height > 0
        assert x + width <= 235 and y + height <= 230


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 400, 3), (400, 1, 3)])
def test_tiny_and_narrow_pictures_have_none(name, shape):
    assert detectors.Detector(name).detect(np.zeros(shape, np.uint8)) == []


@pytest.mark.parametrize(
    ("name", "recall"),
    [("mtcnn", 94), pytest.param("yuface", 98, marks=needs_package("yuface"))],
)
def test_small_faces_and_none(name, recall):
    """scikit-image's 100 faces and 100 other pictures of 25 px."""
    crops = np.round(data.lfw_subset() * 255).astype(np.uint8)
    finder = detectors.Detector(name)
    found = [bool(finder.detect(crop[..., None].repeat(3, -1))) for crop in crops]
    assert sum(found[:100]) >= recall
    assert sum(found[100:]) <= 1


def test_a_searched_picture_is_bounded_and_a_small_one_enlarged():
    assert detectors.bounded(np.zeros((400, 2000, 3), np.uint8), 960).shape[:2] == (
        192,
        960,
    )
    assert detectors.bounded(np.zeros((50, 25, 3), np.uint8), 960).shape[:2] == (
        100,
        50,
    )
    same = np.zeros((300, 200, 3), np.uint8)
    assert detectors.bounded(same, 960) is same


def test_what_is_found_is_scaled_by_hand(monkeypatch):
    """1920 x 960 is searched at 960 x 480: edges double, centres p become 2 p + 0.5."""
    face = Face((470.0, 10.0, 20.0, 30.0), ((100.0, 50.0),), 0.9)
    monkeypatch.setitem(detectors.DETECTORS, "mtcnn", lambda: lambda image: [face])
    found = detectors.Detector("mtcnn").detect(np.zeros((960, 1920, 3), np.uint8))
    assert found == [Face((940.0, 20.0, 40.0, 60.0), ((200.5, 100.5),), 0.9)]


def test_wrong_names_and_pictures_are_told():
    with pytest.raises(UserError, match="No detector 'x'; known: mtcnn, yuface"):
        detectors.Detector("x")
    with pytest.raises(ValueError, match=r"not uint8 \[H, W, 3\]: uint8 \(4, 4\)"):
        detectors.Detector().detect(np.zeros((4, 4), np.uint8))

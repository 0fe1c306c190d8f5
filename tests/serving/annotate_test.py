"""What is drawn, and where it is written."""

import os

import cv2
import numpy as np
import pytest

from kfer.errors import UserError
from kfer.images import decode
from kfer.serving import annotate

TARGETS = [
    {"name": "mood", "classes": ["sad", "glad"], "dimensions": []},
    {"name": "va", "classes": [], "dimensions": ["valence"]},
]
ROW = {
    "path": "a",
    "time": 0.5,
    "face": 3,
    "box": [40.0, 30.0, 60.0, 50.0],
    "score": 1.0,
    "mood": {"class": "glad", "confidence": 0.75, "probabilities": {}},
    "va": {"valence": -0.5},
}


def test_the_lines_of_a_face():
    assert annotate.texts(ROW, TARGETS) == ["face 3", "glad 75 %", "valence -0.50"]
    unsure = ROW | {"mood": {"class": None, "confidence": 0.25}}
    assert annotate.texts(unsure, TARGETS)[1] == "unsure 25 %"
    assert annotate.texts({"path": "a", "no_face": "none"}, TARGETS) == ["none"]


def test_a_box_is_drawn_on_a_copy():
    image = np.full((200, 300, 3), 100, np.uint8)
    drawn = annotate.draw(image, [ROW], TARGETS)
    assert (image == 100).all() and drawn.shape == image.shape
    for x, y in ((40, 55), (100, 55), (70, 30)):
        assert drawn[y, x].tolist() == [80, 220, 100]
    assert (drawn[35:75, 45:95] == 100).all()  # the face itself is seen
    assert (drawn[82:90, 41:100] != 100).any()  # the words stand below it


def test_words_stay_in_the_picture():
    image = np.full((60, 80, 3), 100, np.uint8)
    edge = ROW | {"box": [60.0, 30.0, 20.0, 30.0]}
    drawn = annotate.draw(image, [edge, {"path": "a", "no_face": "né"}], TARGETS)
    assert drawn.shape == image.shape


def test_names_keep_their_folders_and_no_two_are_one(tmp_path):
    pictures = [str(tmp_path / "in" / n) for n in ("a/x.jpg", "b/x.jpg", "y.webp")]
    videos = [str(tmp_path / "in" / n) for n in ("c.mp4", "c.avi")]
    gallery = annotate.Gallery(str(tmp_path / "out"), pictures, videos)
    found = [gallery.place(path) for path in (*pictures, *videos)]
    names = ["a/x.jpg", "b/x.jpg", "y.webp.png", "c.mp4", "c.avi.mp4"]
    assert found == [str(tmp_path / "out" / name) for name in names]


def test_nothing_is_written_over(tmp_path):
    path = tmp_path / "x.png"
    path.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"x.png is there already; remove it or name"):
        annotate.Gallery(str(tmp_path), [str(path)], [])
    both = [str(tmp_path / "y.webp"), str(tmp_path / "y.webp.png")]
    with pytest.raises(UserError, match="Two of the pictures would be drawn to"):
        annotate.Gallery(str(tmp_path / "out"), both, [])


def test_pictures_are_written_in_their_format(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)
    names = ["a.png", "b.jpg"]
    gallery = annotate.Gallery(str(tmp_path), [str(tmp_path / n) for n in names], [])
    for name in names:
        gallery.picture(str(tmp_path / name), image)
    png = decode.decode((tmp_path / "a.png").read_bytes())
    np.testing.assert_array_equal(png, image)
    assert (tmp_path / "b.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_a_video_has_every_frame_at_its_speed(tmp_path):
    path = str(tmp_path / "a.mp4")
    with annotate.video_file(path, 12.5) as add:
        assert not os.path.exists(path)
        for grey in (50, 100, 150):
            add(np.full((48, 64, 3), grey, np.uint8))
        add(np.full((96, 128, 3), 200, np.uint8))  # made as large as the first
    assert os.listdir(tmp_path) == ["a.mp4"]
    capture = cv2.VideoCapture(path)
    assert capture.get(cv2.CAP_PROP_FPS) == 12.5
    means = [capture.read()[1].mean() for _ in range(4)]
    assert means == pytest.approx([50, 100, 150, 200], abs=6)
    assert not capture.grab()


def test_a_video_that_fails_leaves_nothing(tmp_path, monkeypatch):
    with (
        pytest.raises(RuntimeError),
        annotate.video_file(str(tmp_path / "a.mp4"), 25.0) as add,
    ):
        add(np.zeros((48, 64, 3), np.uint8))
        raise RuntimeError
    assert os.listdir(tmp_path) == []

    class Full:
        """A writer whose disk is full says nothing."""

        def write(self, image):
            pass

        def release(self):
            pass

    monkeypatch.setattr(cv2, "VideoWriter", lambda *_: Full())
    with (
        pytest.raises(UserError, match=r"a.mp4: 0 of 1 frames arrived; is the disk"),
        annotate.video_file(str(tmp_path / "a.mp4"), 25.0) as add,
    ):
        add(np.zeros((48, 64, 3), np.uint8))
    assert os.listdir(tmp_path) == []

"""Frames of files and of a camera in its place."""

import itertools

import cv2
import numpy as np
import pytest

from kfer.errors import UserError
from kfer.images import decode
from kfer.serving import video
from tests.serving import clips


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clips.write(tmp_path_factory.mktemp("clip") / "a.mp4", clips.greys(20))


def test_every_third_frame_has_its_number_time_and_picture(clip):
    found = list(video.open_file(clip).frames(every=3))
    assert [frame.index for frame in found] == [0, 3, 6, 9, 12, 15, 18]
    assert [frame.seconds for frame in found] == pytest.approx(
        [0.04 * frame.index for frame in found]
    )
    for frame in found:
        assert frame.image.shape == (64, 64, 3)
        assert abs(int(frame.image.mean()) - 10 * frame.index) < 5


def test_colours_are_rgb(tmp_path):
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 250
    path = clips.write(tmp_path / "red.avi", [red] * 3, codec="MJPG")
    frame = next(video.open_file(path).frames())
    assert frame.image[32, 32, 0] > 200 and frame.image[32, 32, 2] < 60


def test_seconds_end_it_without_a_fault(clip):
    found = list(video.open_file(clip).frames(seconds=0.2))
    assert [frame.index for frame in found] == [0, 1, 2, 3, 4]


def test_a_video_that_ends_early_gives_its_frames_first(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (50, 64, 64, 3), np.uint8)
    whole = clips.write(tmp_path / "whole.avi", noise, codec="MJPG")
    cut = clips.cut(whole, tmp_path / "cut.avi")
    seen = []
    with pytest.raises(
        video.BadVideo, match=r"ends early: 2\d of 50 frames .* to 1.0 s"
    ):
        for frame in video.open_file(cut).frames():
            seen.append(frame.index)
    assert seen == list(range(len(seen))) and 20 <= len(seen) < 30


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "no such file"),
        (b"", "the file holds no bytes"),
        (b"no video at all", "no video, or one whose index is missing"),
    ],
)
def test_what_is_no_video_is_told(tmp_path, content, text):
    path = tmp_path / "bad.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(video.BadVideo, match=text):
        video.open_file(str(path))


def test_a_file_without_its_index_is_told_quietly(clip, tmp_path, capfd):
    with pytest.raises(video.BadVideo, match="index is missing or that ends early"):
        video.open_file(clips.cut(clip, tmp_path / "cut.mp4"))
    assert capfd.readouterr().err == ""


def test_huge_pictures_are_not_decoded(clip):
    with pytest.raises(video.BadVideo, match="64x64 pixels, at most 4000 are read"):
        video.open_file(clip, decode.Limits(max_pixels=4000))


def test_no_frame_is_told():
    empty = video.Footage("a", clips.Camera([]))
    with pytest.raises(video.BadVideo, match="a video without a frame"):
        list(empty.frames())


class Odd(clips.Camera):
    """A film of ten frames a second, of which its container says something else."""

    def __init__(self, fps, count, frames=10):
        super().__init__(clips.greys(frames))
        self._said = {cv2.CAP_PROP_FPS: fps, cv2.CAP_PROP_FRAME_COUNT: count}
        self._grabbed = 0

    def grab(self):
        self._grabbed += 1
        return super().grab()

    def get(self, what):
        if what == cv2.CAP_PROP_POS_MSEC:
            return (self._grabbed - 1) * 100.0
        return self._said.get(what, 0.0)


@pytest.mark.parametrize("count", [1000, 0, -(2**53)])
def test_a_films_clock_is_not_its_frames_a_second(count):
    # 1000 ticks a second for a second, as browsers write it.
    footage = video.Footage("a", Odd(1000.0, count))
    assert footage.fps == 25.0
    assert [f.seconds for f in footage.frames()][-1] == pytest.approx(0.9)


@pytest.mark.parametrize("said", [0.0, float("nan"), -1.0, float("inf")])
def test_a_film_that_says_no_speed(said):
    footage = video.Footage("a", Odd(said, 10))
    assert footage.fps == 25.0 and len(list(footage.frames())) == 10


def test_a_film_of_changing_speed_that_ends_early():
    footage = video.Footage("a", Odd(1000.0, 2000))
    with pytest.raises(video.BadVideo, match="ends early: 10 of 2000 .* to 0.9 s"):
        list(footage.frames())


def test_a_camera_that_is_not_there_is_one_line(capfd):
    with pytest.raises(UserError, match=r"Camera 97 isn't there, or another program"):
        video.open_camera(97)
    assert capfd.readouterr().err == ""


def test_a_camera_runs_until_it_is_stopped(monkeypatch):
    camera = clips.Camera(clips.greys(9))
    monkeypatch.setattr(cv2, "VideoCapture", lambda number: camera)
    footage = video.open_camera(0)
    frames = footage.frames(every=2)
    times = [frame.seconds for frame in itertools.islice(frames, 2)]
    assert 0 <= times[0] <= times[1] < 60
    footage.stop()
    assert not list(frames) and camera.released
    assert footage.name == "camera 0"


def test_an_unplugged_camera_is_told(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", lambda n: clips.Camera(clips.greys(2)))
    with pytest.raises(video.BadVideo, match=r"no more pictures after .* plugged in\?"):
        list(video.open_camera(0).frames())


def test_videos_are_told_by_their_names():
    assert video.is_video("a/B.MP4") and video.is_video("c.webm")
    assert not video.is_video("a.png") and not video.is_video("mp4")

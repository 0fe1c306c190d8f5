"""Frames of a video file or a camera, one at a time."""

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from kfer.errors import UserError
from kfer.images import decode

EXTENSIONS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")

# FFmpeg reads it when OpenCV first needs it: what it would print our errors say.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

LIMITS = decode.Limits()

# Where a file doesn't say, and of cameras that don't.
_USUAL_FPS = 25.0
# Browsers write 1000 into films of changing speed: the ticks of their clock.
_MOST_FPS = 240.0
# Some containers only estimate how many frames they hold.
_SHORT = 0.02


class BadVideo(Exception):
    """A video that can't be read, or not to its end; the message says why."""


class Frame(NamedTuple):
    """One picture of a video."""

    index: int  # from 0, of all frames
    seconds: float  # since the start
    image: np.ndarray  # uint8 [H, W, 3] RGB


class Footage:
    """An opened video file or camera; read it once.

    Attributes:
      name: what rows call it.
      fps: frames a second.
      live: whether it is a camera.
    """

    def __init__(self, name: str, capture: "cv2.VideoCapture", live: bool = False):
        self.name = name
        self.live = live
        said = capture.get(cv2.CAP_PROP_FPS)
        self.fps = said if 0 < said <= _MOST_FPS else _USUAL_FPS
        self._declared = 0 if live else int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self._length = self._declared / said if said > 0 else 0.0
        self._capture = capture
        self._stopped = False
        self._started = time.monotonic()

    def stop(self) -> None:
        """Ends `frames` at the next one."""
        self._stopped = True

    def frames(self, every: int = 1, seconds: float = 0.0) -> Iterator[Frame]:
        """Every n-th frame from the first; no other is decoded to a picture.

        Args:
          every: n.
          seconds: read so many at most; 0 reads to the end.

        Raises:
          BadVideo: there is no frame, the file ends before it said it would, or the
            camera stopped.
        """
        count, at = 0, 0.0
        try:
            while not self._stopped and self._capture.grab():
                at = self._time(count)
                if seconds and at >= seconds:
                    return
                if count % every == 0:
                    yield Frame(count, at, self._picture(count))
                count += 1
        finally:
            self._capture.release()
        if not self._stopped:
            self._check_end(count, at)

    def _time(self, count: int) -> float:
        if self.live:
            return time.monotonic() - self._started
        # Containers without times say 0.
        at = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
        return at if at > 0 else count / self.fps

    def _picture(self, count: int) -> np.ndarray:
        there, image = self._capture.retrieve()
        if not there:
            raise BadVideo(f"frame {count} can't be decoded; the rows to there stand")
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def _check_end(self, count: int, at: float) -> None:
        if self.live:
            raise BadVideo(f"no more pictures after {at:.1f} s; is it plugged in?")
        if not count:
            raise BadVideo("a video without a frame that can be decoded")
        # OpenCV makes up the count of some containers from their length.
        end = at * count / max(1, count - 1)
        is_short = end < self._length * (1 - _SHORT)
        if is_short and count < self._declared - max(1.0, _SHORT * self._declared):
            raise BadVideo(
                f"ends early: {count} of {self._declared} frames can be decoded, to "
                f"{at:.1f} s; the rows to there stand"
            )


def is_video(path: str) -> bool:
    """Whether a file is named as a video."""
    return path.lower().endswith(EXTENSIONS)


def open_file(path: str, limits: decode.Limits = LIMITS) -> Footage:
    """A video file.

    Raises:
      BadVideo: no such file, no video, or its pictures are too large.
    """
    if not os.path.isfile(path):
        raise BadVideo("a folder" if os.path.isdir(path) else "no such file")
    if not os.path.getsize(path):
        raise BadVideo("the file holds no bytes")
    _hush()
    capture = cv2.VideoCapture(path)
    if not capture.isOpened():
        raise BadVideo("no video, or one whose index is missing or that ends early")
    width, height = (
        int(capture.get(side))
        for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if width * height > limits.max_pixels:
        capture.release()
        raise BadVideo(f"{width}x{height} pixels, at most {limits.max_pixels} are read")
    return Footage(path, capture)


def open_camera(number: int) -> Footage:
    """A camera of this machine, by its number from 0.

    Raises:
      UserError: it isn't there, or another program has it.
    """
    _hush()
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        raise UserError(
            f"Camera {number} isn't there, or another program has it; plug it in, or "
            "name another with --camera=N"
        )
    return Footage(f"camera {number}", capture, live=True)


def _hush() -> None:
    """Has OpenCV print nothing: our own errors say it."""
    # It moved after OpenCV 4.11.
    set_level = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    set_level(0)

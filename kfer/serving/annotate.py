"""Pictures and videos with boxes and answers drawn into them."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from kfer.errors import UserError
from kfer.images import decode
from kfer.serving.answer_rules import WORDS
from kfer.serving.answer_text import class_text
from kfer.storage import whole

# FFmpeg's MPEG-4, which OpenCV's wheels can write everywhere.
CODEC, ENDING = "mp4v", ".mp4"

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINE_SHARE = 1 / 30  # height of a line of text, of the picture's shorter side
_SMALLEST_LINE = 10.0
_FONT_HEIGHT = 22.0  # of FONT_HERSHEY_SIMPLEX at scale 1
_BOX, _INK, _PAPER = (80, 220, 100), (255, 255, 255), (20, 20, 20)


def draw(
    image: np.ndarray, rows: Sequence[dict[str, Any]], targets: Sequence[dict[str, Any]]
) -> np.ndarray:
    """A copy of a picture with its rows drawn.

    Args:
      image: uint8 [H, W, 3] RGB.
      rows: of the picture, see kfer.serving.answer_rules.apply; a row without a box is
        written at the top left.
      targets: of kfer.serving.answer_rules.

    Returns:
      uint8 [H, W, 3] RGB. Letters beyond ASCII are drawn as '?'.
    """
    drawn = np.ascontiguousarray(image).copy()
    height = max(_SMALLEST_LINE, _LINE_SHARE * min(image.shape[:2]))
    for row in rows:
        x, y, across, down = row.get("box", (0.0, 0.0, 0.0, 0.0))
        if across:
            corner = (round(x + across), round(y + down))
            thick = max(1, round(height / 8))
            cv2.rectangle(drawn, (round(x), round(y)), corner, _BOX, thick)
        _write(drawn, texts(row, targets), (x, y + down), height)
    return drawn


def texts(row: dict[str, Any], targets: Sequence[dict[str, Any]]) -> list[str]:
    """The lines that are written at a face."""
    head = [f"face {row['face']}"] if "time" in row and "face" in row else []
    if "error" in row or "no_face" in row:
        return [*head, row.get("error") or row["no_face"]]
    for target in targets:
        answer = row[target["name"]]
        if target["classes"]:
            head.append(class_text(answer))
        else:
            values = (f"{n} {answer[n]:+.2f}" for n in target["dimensions"])
            head.append(" ".join(values))
        if target.get("words"):
            head.append(row[target["name"] + WORDS]["affect"])
    return head


def _write(
    image: np.ndarray, lines: list[str], place: tuple[float, float], height: float
) -> None:
    """Lines below a place, or where they fit, on a dark ground."""
    scale = height / _FONT_HEIGHT * 0.7
    plain = [line.encode("ascii", "replace").decode() for line in lines]
    widths = [cv2.getTextSize(line, _FONT, scale, 1)[0][0] for line in plain]
    left = max(0, min(round(place[0]), image.shape[1] - max(widths) - 4))
    top = max(0, min(round(place[1]), image.shape[0] - round(height * len(lines)) - 2))
    bottom = round(top + height * len(lines)) + 2
    image[top:bottom, left : left + max(widths) + 4] = _PAPER
    for number, line in enumerate(plain):
        base = (left + 2, round(top + height * (number + 0.8)))
        cv2.putText(image, line, base, _FONT, scale, _INK, 1, cv2.LINE_AA)


class Gallery:
    """A folder of drawn pictures and videos, under the names of their sources.

    They keep their places below the deepest folder that holds all sources, so that no
    two share a name.

    Args:
      folder: made where it isn't there.
      pictures, videos: every source that will be drawn.

    Raises:
      UserError: something is there under one of the names, or two would share one.
    """

    def __init__(self, folder: str, pictures: Sequence[str], videos: Sequence[str]):
        sources = [os.path.abspath(path) for path in (*pictures, *videos)]
        common = os.path.commonpath([os.path.dirname(path) for path in sources])
        self._places: dict[str, str] = {}
        for path in dict.fromkeys(pictures):
            self._claim(path, folder, common, (".jpg", ".jpeg", ".png"), ".png")
        for path in dict.fromkeys(videos):
            self._claim(path, folder, common, (ENDING,), ENDING)

    def _claim(
        self, source: str, folder: str, common: str, kept: tuple[str, ...], ending: str
    ) -> None:
        name = os.path.relpath(os.path.abspath(source), common)
        place = os.path.join(folder, name)
        if not place.lower().endswith(kept):
            place += ending
        if place in self._places.values():
            raise UserError(f"Two of the pictures would be drawn to {place}")
        if os.path.lexists(place):
            raise UserError(
                f"{place} is there already; remove it or name another --annotate"
            )
        self._places[source] = place

    def place(self, source: str) -> str:
        """Where a source is drawn; its folder is made."""
        place = self._places[source]
        with whole.disk(place):
            os.makedirs(os.path.dirname(place), exist_ok=True)
        return place

    def picture(self, source: str, image: np.ndarray) -> None:
        """Writes a drawn picture, uint8 [H, W, 3] RGB."""
        place = self.place(source)
        kind = "png" if place.lower().endswith(".png") else "jpeg"
        whole.write_bytes(place, decode.encode(image, kind))


@contextlib.contextmanager
def video_file(path: str, fps: float) -> Iterator[Callable[[np.ndarray], None]]:
    """A function that adds a frame to an MP4, which is there when the block ends well.

    Args:
      path: ends in ENDING; its folder is there.
      fps: frames a second.

    Yields:
      Takes uint8 [H, W, 3] RGB; the first frame's size is that of all.

    Raises:
      UserError: the disk refused, or the frames can't be written; nothing is left.
    """
    with whole.disk(path), _beside(path) as partial:
        writer = _Writer(partial, fps)
        try:
            yield writer.add
        finally:
            writer.release()
        # OpenCV doesn't say when the disk is full, so what was written is counted.
        there = cv2.VideoCapture(partial)
        found = int(there.get(cv2.CAP_PROP_FRAME_COUNT))
        there.release()
        if found != writer.count:
            raise UserError(
                f"Can't write {path}: {found} of {writer.count} frames arrived; is the "
                "disk full? Nothing was left there"
            )


class _Writer:
    """OpenCV's, which wants to know the size first."""

    def __init__(self, path: str, fps: float):
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size: tuple[int, int] = (0, 0)
        self.count = 0

    def add(self, image: np.ndarray) -> None:
        """The next frame."""
        if self._writer is None:
            self._size = image.shape[1], image.shape[0]
            code = cv2.VideoWriter_fourcc(*CODEC)
            self._writer = cv2.VideoWriter(self._path, code, self._fps, self._size)
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        self.count += 1

    def release(self) -> None:
        """Writes the file's end."""
        if self._writer is not None:
            self._writer.release()


@contextlib.contextmanager
def _beside(path: str) -> Iterator[str]:
    """whole.beside for a writer that goes by the name's ending."""
    with whole.beside(path) as partial:
        named = partial + ENDING
        try:
            yield named
            os.replace(named, partial)
        finally:
            with contextlib.suppress(OSError):
                os.remove(named)

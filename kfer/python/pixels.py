"""A user's pictures as a model takes them: by the steps that made its training set."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kfer.data.record import RawExample, Rejected
from kfer.errors import UserError
from kfer.faces import detectors
from kfer.faces.detectors import Detector
from kfer.images import decode
from kfer.preprocess import transforms
from kfer.python.arrays import picture
from kfer.settings.config import ExperimentConfig

# Of a data set's settings, those that say what became of a picture.
_SETTINGS = (
    "image_size",
    "alignment",
    "detector",
    "image_format",
    "jpeg_quality",
)
# What float pictures may stand out of [-1, 1] by rounding.
_TOLERANCE = 1e-3


def preparation(notes: Mapping[str, Any]) -> dict[str, Any]:
    """How a data set's pictures were prepared, {} if they are as they came.

    Args:
      notes: of the data set, as kfer.preprocess.job writes them.
    """
    settings = notes.get("settings", {})
    return {name: settings[name] for name in _SETTINGS if name in settings}


class Pictures:
    """Turns pictures into a model's input.

    Args:
      config: of the model.
      prepared: of `preparation`, of the data set that it learned from.
    """

    def __init__(self, config: ExperimentConfig, prepared: Mapping[str, Any]):
        self.config = config
        self.settings = transforms.Settings("/", **prepared) if prepared else None
        name = self.settings.detector if self.settings else detectors.DEFAULT
        self.detector = Detector(name)

    def __call__(self, images: Any, first: int = 0) -> np.ndarray:
        """float32 [N, S, S, 3] in [-1, 1], channels as the recipe has them.

        Args:
          images: uint8 [N, H, W, 3] RGB; or a list of arrays [H, W, 3] or of paths; or
            float32 [N, S, S, 3] RGB in [-1, 1], which is taken as it is.
          first: index of the first one, for messages.

        Raises:
          UserError: a picture is none, named by its index.
        """
        if isinstance(images, np.ndarray) and images.dtype.kind == "f":
            return self._in_order(self._checked(images))
        rows = [self._one(image, first + i) for i, image in enumerate(images)]
        size = self.config.image_size
        found = np.stack(rows) if rows else np.zeros([0, size, size, 3], np.float32)
        return self._in_order(found / np.float32(127.5) - np.float32(1.0))

    def _checked(self, images: np.ndarray) -> np.ndarray:
        size = self.config.image_size
        if images.shape[1:] != (size, size, 3):
            raise UserError(
                f"Float pictures are [N, {size}, {size}, 3], got {list(images.shape)}; "
                "uint8 pictures may have any size"
            )
        if images.size:
            check_range(images)
        return images.astype(np.float32)

    def _in_order(self, images: np.ndarray) -> np.ndarray:
        return (
            images[..., ::-1] if self.config.recipe.channel_order == "bgr" else images
        )

    def _one(self, image: Any, index: int) -> np.ndarray:
        """float32 [S, S, 3] in 0..255."""
        import tensorflow as tf

        size = self.config.image_size
        pixels = tf.constant(self._prepared(image, index))
        if pixels.shape[:2] != (size, size):
            pixels = tf.image.resize(pixels, [size, size], antialias=True)
        return tf.cast(pixels, tf.float32).numpy()

    def _prepared(self, image: Any, index: int) -> np.ndarray:
        """uint8 [H, W, 3], as the data set would hold it."""
        import tensorflow as tf

        if isinstance(image, (str, os.PathLike)):
            image = _read(image)
        else:
            image = picture(image, index)
        if self.settings is None:
            return _decoded(image, index)
        example = RawExample(str(index), "", image, {}, {}, "")
        made = transforms.prepare(example, self.settings, self.detector)
        if isinstance(made, Rejected):
            raise UserError(f"Picture {index}: {made.reason}: {made.detail}")
        return tf.io.decode_jpeg(made.record.image, channels=3).numpy()


def _read(path: str | os.PathLike) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UserError(f"{os.fspath(path)} can't be read: {error.strerror}") from error


def _decoded(image: bytes | np.ndarray, index: int) -> np.ndarray:
    if isinstance(image, np.ndarray):
        return image
    try:
        return decode.decode_scaled(image, decode.Limits())[0]
    except decode.BadImage as error:
        raise UserError(f"Picture {index}: {error}") from error


def check_range(images: np.ndarray) -> None:
    """Raises UserError if float pictures aren't in [-1, 1], or look like [0, 1]."""
    low, high = float(images.min()), float(images.max())
    if not (low >= -1.0 - _TOLERANCE and high <= 1.0 + _TOLERANCE):
        raise UserError(
            f"Float pictures are in [-1, 1], got {low:g} to {high:g}; give uint8 in "
            "0..255"
        )
    if low >= 0.0:
        raise UserError(
            f"Float pictures go from {low:g} to {high:g}, as if black were 0 and not "
            "-1; give uint8 in 0..255"
        )


def chunks(images: Any, size: int) -> Sequence[tuple[int, Any]]:
    """(index of the first, pictures) of `size` pictures at a time; one if empty."""
    starts = range(0, max(len(images), 1), size)
    return [(start, images[start : start + size]) for start in starts]

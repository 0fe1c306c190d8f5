"""Stored pictures to pixels, in the graph of the input pipeline."""

from collections.abc import Mapping

import tensorflow as tf

from kfer.data import record
from kfer.data.dataset import Dataset


def pictures(
    features: Mapping[str, tf.Tensor], dataset: Dataset, size: int
) -> tf.Tensor:
    """Encoded PNG or JPEG [B] as [B, size, size, 3] in 0..255.

    Pictures stored at another size are resized, bilinear with antialiasing, as float32;
    others stay uint8.

    Args:
      features: parsed, with image/encoded, string [B].
      dataset: tells the side of the stored pictures, if they have one.
      size: side wanted.
    """
    encoded, stored = features[record.IMAGE], dataset.image_size

    def one(data: tf.Tensor) -> tf.Tensor:
        # Reads PNG as well, at less cost than decode_image, which gives the same.
        picture = tf.io.decode_jpeg(data, channels=3)
        if stored:
            return tf.ensure_shape(picture, [stored] * 2 + [3])
        return _resized(picture, size)

    if encoded.shape[0]:
        # Unrolled, a batch of 64 px JPEGs takes 60 % of map_fn's time.
        pictures = tf.stack([one(data) for data in tf.unstack(encoded)])
    else:
        dtype = tf.uint8 if stored else tf.float32
        pictures = tf.map_fn(one, encoded, fn_output_signature=dtype)
    if stored not in (0, size):
        pictures = _resized(pictures, size)
    return tf.ensure_shape(pictures, [None, size, size, 3])


def _resized(pictures: tf.Tensor, size: int) -> tf.Tensor:
    return tf.image.resize(pictures, [size, size], antialias=True)

"""Encoded pictures, or examples with them -> images, in a graph, row by row."""

from typing import Any

import tensorflow as tf

from kfer.data import record

# Feature of an example that holds the encoded picture.
PICTURE = record.IMAGE
NOT_WHOLE = "no whole JPEG or PNG picture"

_PARALLEL_DECODES = 4


def decode(image_bytes: tf.Tensor, size: int) -> tf.Tensor:
    """`decoded`, where every row must be a picture.

    Raises:
      InvalidArgumentError: a row isn't a whole picture; the message names its index.
    """
    images, whole = decoded(image_bytes, size)
    check = tf.debugging.Assert(
        tf.reduce_all(whole),
        [f"image_bytes holds {NOT_WHOLE} at index", tf.where(~whole)[:, 0]],
        summarize=16,
    )
    with tf.control_dependencies([check]):
        return tf.identity(images)


def decode_one(data: tf.Tensor, size: int) -> tf.Tensor:
    """One encoded picture as [size, size, 3], see `decoded`.

    Raises:
      InvalidArgumentError: it isn't a whole one.
    """
    picture = tf.io.decode_jpeg(data, channels=3)  # reads PNG as well
    resized = tf.image.resize(picture, [size, size], antialias=True)
    return tf.ensure_shape(resized, [size, size, 3])


def decoded(image_bytes: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Encoded JPEG or PNG pictures of any size, and which of them are whole.

    The same steps as the input pipeline's: bilinear with antialiasing, the sides scaled
    each by its own factor. EXIF orientation is not applied, transparency is dropped.

    Returns:
      [B, size, size, 3] float32 RGB in 0..255, zeros for what is no whole picture; and
      bool [B].
    """
    none = tf.zeros([size, size, 3])
    index, images = _each(image_bytes, lambda data: decode_one(data, size), none)
    count = tf.size(image_bytes, out_type=tf.int64)
    whole = tf.scatter_nd(index[:, None], tf.ones_like(index, tf.bool), count[None])
    shape = tf.stack([count, size, size, 3])
    return tf.scatter_nd(index[:, None], images, shape), whole


def pictures_of(examples: tf.Tensor) -> tf.Tensor:
    """The encoded pictures [B] of serialized tf.train.Examples, as records have them.

    TFX's BulkInferrer and TFMA's evaluation send such examples.

    Raises:
      InvalidArgumentError: a row is no Example, or has no picture; its index is named.
    """
    spec = {PICTURE: tf.io.FixedLenFeature([], tf.string)}

    def one(example: tf.Tensor) -> tf.Tensor:
        return tf.io.parse_single_example(example, spec)[PICTURE]

    # Not all at once: the parser's message would quote the bytes of a broken one.
    index, found = _each(examples, one, tf.constant(""))
    rows = tf.range(tf.size(examples, out_type=tf.int64))
    missing = tf.sets.difference(rows[None], index[None]).values
    check = tf.debugging.Assert(
        tf.equal(tf.size(missing), 0),
        [
            f"examples holds no tf.train.Example with a feature {PICTURE} at index",
            missing,
        ],
        summarize=16,
    )
    with tf.control_dependencies([check]):
        return tf.identity(found)


def _each(values: tf.Tensor, one: Any, empty: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`one` of each of the values for which it works: only tf.data can tell which.

    It costs a lone picture 1 ms.

    Args:
      values: [B], string.
      one: value -> what `empty` is one of.
      empty: any result, which isn't returned.

    Returns:
      int64 [N], the indices that worked, ascending; and their results [N, ...].
    """
    count = tf.size(values, out_type=tf.int64)
    # Not enumerate(), which rewrites the graph, and logs it, at each request.
    rows = tf.data.Dataset.from_tensor_slices((tf.range(count), values))
    good = rows.map(
        lambda index, data: (index, one(data)),
        num_parallel_calls=_PARALLEL_DECODES,
        deterministic=True,
    ).ignore_errors()
    # Without a row of its own, an empty request would be an empty data set.
    first = tf.data.Dataset.from_tensors((tf.constant(-1, tf.int64), empty))
    options = tf.data.Options()
    # They cost more than they gain in so short a pipeline.
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    found = first.concatenate(good).batch(count + 1).with_options(options)
    index, results = found.get_single_element()
    return index[1:], results[1:]

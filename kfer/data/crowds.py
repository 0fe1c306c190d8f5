"""Crowd columns as tensors for training, and as triples for `kfer.crowd`.

Every method can learn from a crowd column: what it gets as the task's label is the
picture's majority, or the mean of values. One that models annotators finds who said
what in `structures.Batch.crowd`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.crowd.triples import Triples, Values, keys_of
from kfer.data.crowd_labels import ANNOTATOR, CROWD, LABEL, spec
from kfer.data.dataset import Dataset
from kfer.data.record import Column
from kfer.errors import UserError
from kfer.structures import CrowdLabels

_BATCH = 4096


def padded(features: Mapping[str, Any], column: Column) -> CrowdLabels:
    """A parsed crowd column as tensors of one width, `column.longest`.

    Returns:
      Labels of B pictures by R annotators each at most: annotator int64 [B, R], -1 for
      none; label int64 [B, R] or float32 [B, R, D], 0 there; mask float32 [B, R].
    """
    width = column.longest or None
    name = CROWD + column.name
    who = features[name + ANNOTATOR].to_tensor(-1, shape=[None, width])
    label = features[name + LABEL]
    mask = tf.cast(who >= 0, tf.float32)
    if column.is_categorical:
        return CrowdLabels(who, label.to_tensor(0, shape=[None, width]), mask)
    wide = None if width is None else width * column.size
    values = label.to_tensor(0.0, shape=[None, wide])
    shape = [tf.shape(who)[0], tf.shape(who)[1], column.size]
    values = tf.reshape(values, shape)
    return CrowdLabels(who, tf.ensure_shape(values, [None, width, column.size]), mask)


def one_label(found: CrowdLabels, column: Column, pictures: tf.Tensor) -> tf.Tensor:
    """The majority or the mean of each picture's labels.

    Ties are drawn by a hash of the picture, as `kfer.crowd.majority.drawn` does: they
    depend on neither the order of classes nor that of annotators.

    Args:
      found: see padded.
      column: the crowd column.
      pictures: encoded, string [B].

    Returns:
      int64 [B], -1 without a label; or float32 [B, D], NaN there.
    """
    count = tf.reduce_sum(found.mask, axis=1)
    if not column.is_categorical:
        total = tf.reduce_sum(found.label * found.mask[:, :, tf.newaxis], axis=1)
        return tf.where(
            count[:, tf.newaxis] > 0, total / count[:, tf.newaxis], np.float32(np.nan)
        )
    given = tf.where(found.mask > 0, found.label, -1)
    votes = tf.reduce_sum(tf.one_hot(given, column.size, dtype=tf.float64), axis=1)
    return tf.where(count > 0, most(votes, pictures), -1)


def most(votes: tf.Tensor, pictures: tf.Tensor) -> tf.Tensor:
    """The class with the most votes, a tie drawn by a hash of the picture.

    Args:
      votes: counts or shares, float [B, K].
      pictures: encoded, string [B].

    Returns:
      int64 [B].
    """
    size = votes.shape[1]
    keys = tf.strings.to_hash_bucket_fast(pictures, 1 << 31)
    places = keys[:, tf.newaxis] * size + tf.range(size, dtype=tf.int64)
    chance = tf.bitwise.right_shift(_mixed(places), tf.constant(11, tf.uint64))
    chance = tf.cast(chance, tf.float64) / 2.0**53
    top = tf.reduce_max(votes, axis=1, keepdims=True)
    return tf.argmax(tf.where(tf.equal(votes, top), chance, -1.0), axis=1)


def _mixed(numbers: tf.Tensor) -> tf.Tensor:
    """kfer.crowd.triples.mixed of an int64 tensor, as uint64."""
    shift, xor = tf.bitwise.right_shift, tf.bitwise.bitwise_xor

    def constant(value: int) -> tf.Tensor:
        return tf.constant(value, tf.uint64)

    x = tf.cast(numbers, tf.uint64) + constant(0x9E3779B97F4A7C15)
    x = xor(x, shift(x, constant(30))) * constant(0xBF58476D1CE4E5B9)
    x = xor(x, shift(x, constant(27))) * constant(0x94D049BB133111EB)
    return xor(x, shift(x, constant(31)))


def triples(dataset: Dataset, split: str, name: str) -> Triples | list[Values]:
    """A crowd column of a whole split, for `kfer.crowd`.

    Args:
      dataset: prepared.
      split: of it.
      name: of the crowd column.

    Returns:
      Triples of classes, whose items are the split's records in their order and whose
      annotators are the column's; of values one Values for each dimension.

    Raises:
      UserError: no such column, or it is no crowd's.
    """
    column = dataset.columns.get(name)
    if column is None or not column.annotators:
        known = [n for n, c in dataset.columns.items() if c.annotators]
        raise UserError(
            f"{dataset.root} has no crowd column {name!r}; it has "
            f"{', '.join(known) or 'none'}"
        )
    parts = list(_parts(dataset, split, column))
    item, who, label, ids = (np.concatenate(p) for p in zip(*parts, strict=True))
    keys = keys_of(image_id.decode() for image_id in ids)
    sizes = dataset.split(split).num_records, len(column.annotators)
    if column.is_categorical:
        return Triples(item, who, label, *sizes, column.size, keys)
    values = label.reshape(-1, column.size).astype(np.float64)
    return [Values(item, who, values[:, d], *sizes, keys) for d in range(column.size)]


def _parts(
    dataset: Dataset, split: str, column: Column
) -> Iterator[tuple[np.ndarray, ...]]:
    """Items, annotators, flat labels and image ids of the split, batch by batch."""
    name = column.name
    first, features = 0, spec(name, column.is_categorical)
    features["image_id"] = tf.io.FixedLenFeature([], tf.string)
    for serialized in tf.data.TFRecordDataset(dataset.files(split)).batch(_BATCH):
        parsed = tf.io.parse_example(serialized, features)
        who = parsed[CROWD + name + ANNOTATOR]
        lengths = who.row_lengths().numpy()
        items = np.repeat(np.arange(first, first + len(lengths)), lengths)
        labels = parsed[CROWD + name + LABEL].flat_values.numpy()
        yield items, who.flat_values.numpy(), labels, parsed["image_id"].numpy()
        first += len(lengths)

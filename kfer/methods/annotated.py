"""What the label sets of a batch say of a target, in tensors by annotator."""

from collections.abc import Sequence

import tensorflow as tf

from kfer.crowd.confusion import SKILL_LABELS
from kfer.losses import categorical
from kfer.structures import Batch
from kfer.tasks import LabelTask


def log_likelihood(
    batch: Batch,
    tasks: Sequence[LabelTask],
    counts: Sequence[int],
    log_matrices: tf.Tensor,
) -> tf.Tensor:
    """sum over annotators of log T_a[true, given], by example and true class.

    Args:
      batch: see Batch; a soft label counts by its shares.
      tasks: class label sets of one target.
      counts: annotators of each.
      log_matrices: log T [A, K, K], truth by row.

    Returns:
      [B, K] float32, 0 where an example has no label.
    """
    total, first = tf.constant(0.0), 0
    for task, count in zip(tasks, counts, strict=True):
        mine = log_matrices[first : first + count]
        first += count
        if task.name in batch.crowd:
            crowd = batch.crowd[task.name]
            by_label = tf.reshape(
                tf.transpose(mine, [0, 2, 1]), [count * task.size, task.size]
            )
            place = tf.maximum(crowd.annotator, 0) * task.size + crowd.label
            terms = tf.gather(by_label, place) * crowd.mask[:, :, tf.newaxis]
            total += tf.reduce_sum(terms, axis=1)
        else:
            given = categorical.soft(batch.labels[task.name], task.size)
            mask = batch.mask[task.name][:, tf.newaxis]
            total += mask * tf.matmul(given, mine[0], transpose_b=True)
    return total


def confusion_counts(
    batch: Batch, tasks: Sequence[LabelTask], counts: Sequence[int], q: tf.Tensor
) -> tf.Tensor:
    """How often each annotator said j of truth i in this batch, [A, K, K].

    Args:
      batch, tasks, counts: as log_likelihood's.
      q: [B, K] probability of each true class.
    """
    found = []
    for task, count in zip(tasks, counts, strict=True):
        if task.name in batch.crowd:
            crowd = batch.crowd[task.name]
            place = tf.maximum(crowd.annotator, 0) * task.size + crowd.label
            shares = q[:, tf.newaxis, :] * crowd.mask[:, :, tf.newaxis]
            by_label = tf.math.unsorted_segment_sum(
                tf.reshape(shares, [-1, task.size]),
                tf.reshape(place, [-1]),
                count * task.size,
            )
            by_label = tf.reshape(by_label, [count, task.size, task.size])
            found.append(tf.transpose(by_label, [0, 2, 1]))
        else:
            given = categorical.soft(batch.labels[task.name], task.size)
            shares = q * batch.mask[task.name][:, tf.newaxis]
            found.append(tf.matmul(shares, given, transpose_a=True)[tf.newaxis])
    return tf.concat(found, axis=0)


def has_label(batch: Batch, tasks: Sequence[LabelTask]) -> tf.Tensor:
    """[B] 1 where an example has a label of any of the tasks."""
    return tf.reduce_max(tf.stack([batch.mask[task.name] for task in tasks]), axis=0)


def shrunk_matrices(counts: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
    """kfer.crowd.confusion.shrunk_matrices for tensors, strength above 0.

    Args:
      counts: expected counts [A, K, K].
      strength: scalar, in labels.
    """
    classes = counts.shape[-1]
    same = tf.eye(classes)
    wrong = (tf.reduce_sum(counts, axis=0) + 1.0) * (1.0 - same)
    wrong /= tf.reduce_sum(wrong, axis=-1, keepdims=True)
    right = tf.linalg.trace(counts)
    said = tf.reduce_sum(counts, axis=[1, 2])
    crowd = (tf.reduce_sum(right) + 1.0) / (tf.reduce_sum(said) + 2.0)
    labels = tf.constant(SKILL_LABELS, tf.float32)
    rates = ((right + labels * crowd) / (said + labels))[:, tf.newaxis, tf.newaxis]
    rows = counts + strength * (rates * same + (1.0 - rates) * wrong)
    return rows / tf.reduce_sum(rows, axis=-1, keepdims=True)

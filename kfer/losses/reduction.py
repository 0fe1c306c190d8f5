"""Means over the global batch, however many replicas hold it."""

import tensorflow as tf


def replicas() -> int:
    """How many replicas the step runs on."""
    return tf.distribute.get_replica_context().num_replicas_in_sync


def global_sum(values: tf.Tensor) -> tf.Tensor:
    """The sum of each replica's `values`; the same on every replica.

    Its gradient is a sum over replicas too: divide a loss built on it by replicas().
    """
    if replicas() == 1:
        return values
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def count(mask: tf.Tensor) -> tf.Tensor:
    """How many examples of the global batch count, without gradient; mask [B]."""
    return tf.stop_gradient(global_sum(tf.reduce_sum(mask)))


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the global batch's unmasked examples.

    Shares add up to the mean, as gradients do when optimizers sum them. 0 where no
    example counts.

    Args:
      values: [B] float, by example.
      mask: [B] float.
    """
    return tf.math.divide_no_nan(tf.reduce_sum(values * mask), count(mask))


def gather(values: tf.Tensor) -> tf.Tensor:
    """The rows of all replicas, in the replicas' order; the same on every replica.

    Args:
      values: [B, ...] of this replica; B may differ between replicas.

    Returns:
      [global B, ...], without gradient.
    """
    return _gathered(values)[0]


def rolled(values: tf.Tensor) -> tf.Tensor:
    """For each row the one before it in the global batch; the last before the first.

    Args:
      values: [B, ...] of this replica.

    Returns:
      [B, ...], without gradient.
    """
    rows, before = _gathered(values)
    return tf.roll(rows, 1, axis=0)[before : before + tf.shape(values)[0]]


def _gathered(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """All replicas' rows, and how many come before this one's."""
    values = tf.stop_gradient(values)
    if replicas() == 1:
        return values, tf.constant(0)
    # By sums: all_gather traces a function at every eager call.
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    size = tf.shape(values)[0]
    sizes = global_sum(size * tf.one_hot(replica, replicas(), dtype=tf.int32))
    before = tf.reduce_sum(sizes[:replica])
    after = tf.reduce_sum(sizes) - before - size
    padding = [[before, after], *([0, 0] for _ in values.shape[1:])]
    return global_sum(tf.pad(values, padding)), before

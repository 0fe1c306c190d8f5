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


def masked_mean(values: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """This replica's share of the mean over the global batch's unmasked examples.

    Shares add up to the mean, as gradients do when optimizers sum them. 0 where no
    example counts.

    Args:
      values: [B] float, by example.
      mask: [B] float.
    """
    count = tf.stop_gradient(global_sum(tf.reduce_sum(mask)))
    return tf.math.divide_no_nan(tf.reduce_sum(values * mask), count)

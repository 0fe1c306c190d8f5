"""Losses of class labels, one value for each example."""

import tensorflow as tf


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """-log softmax(logits)[label].

    Args:
      labels: [B] int, in 0..K-1.
      logits: [B, K] float.

    Returns:
      [B] float, at least 0, in nats.
    """
    tf.debugging.assert_shapes([(labels, ("B",)), (logits, ("B", "K"))])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)

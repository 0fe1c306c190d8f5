"""Losses of continuous labels, one value for each example."""

import tensorflow as tf


def squared_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Mean over dimensions of (y_true - y_pred)^2: [B, D], [B, D] -> [B]."""
    tf.debugging.assert_shapes([(y_true, ("B", "D")), (y_pred, ("B", "D"))])
    return tf.reduce_mean(tf.math.squared_difference(y_true, y_pred), axis=1)


def huber(y_true: tf.Tensor, y_pred: tf.Tensor, delta: float) -> tf.Tensor:
    """Mean over dimensions of Huber's loss (1964): [B, D], [B, D] -> [B].

    e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2): an outlier pulls no harder
    than an error of delta.
    """
    tf.debugging.assert_shapes([(y_true, ("B", "D")), (y_pred, ("B", "D"))])
    size = tf.abs(y_true - y_pred)
    inside = tf.minimum(size, delta)
    return tf.reduce_mean(inside * (size - 0.5 * inside), axis=1)


def gaussian(y_true: tf.Tensor, y_pred: tf.Tensor, log_sigma: tf.Tensor) -> tf.Tensor:
    """-log N(y_true; y_pred, sigma^2) without its constant, a mean over dimensions.

    Args:
      y_true, y_pred: [B, D].
      log_sigma: [D].

    Returns:
      [B]: mean of (y_true - y_pred)^2 / (2 sigma^2) + log sigma.
    """
    tf.debugging.assert_shapes(
        [(y_true, ("B", "D")), (y_pred, ("B", "D")), (log_sigma, ("D",))]
    )
    scaled = (y_true - y_pred) * tf.exp(-log_sigma)
    return tf.reduce_mean(0.5 * tf.square(scaled) + log_sigma, axis=1)

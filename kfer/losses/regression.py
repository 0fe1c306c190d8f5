"""Losses of continuous labels, one value for each example."""

import tensorflow as tf


def squared_error(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Mean over dimensions of (y_true - y_pred)^2: [B, D], [B, D] -> [B]."""
    tf.debugging.assert_shapes([(y_true, ("B", "D")), (y_pred, ("B", "D"))])
    return tf.reduce_mean(tf.math.squared_difference(y_true, y_pred), axis=1)

"""The concordance correlation coefficient (Lin 1989) from moments, for TensorFlow.

A mean of per-replica CCCs is not the batch's CCC, but moments add up: sum them over
replicas or batches, then compute. Its twin in NumPy, for commands that don't load
TensorFlow, is kfer.metrics.continuous.ccc.
"""

import tensorflow as tf

# Of sums of squares, relative, with room to spare: in float32, and in float64.
_ROUNDING, _ROUNDING_64 = 2e-5, 1e-13


def moments(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Sums from which means, variances and covariance follow.

    Args:
      y_true: [B, D] float.
      y_pred: [B, D] float.
      mask: [B] float, 0 leaves an example out.

    Returns:
      [6, D]: count, sum of true, of predicted, of true^2, of predicted^2, of products.
    """
    tf.debugging.assert_shapes(
        [(y_true, ("B", "D")), (y_pred, ("B", "D")), (mask, ("B",))]
    )
    weight = mask[:, None]
    terms = (
        tf.ones_like(y_true),
        y_true,
        y_pred,
        tf.square(y_true),
        tf.square(y_pred),
        y_true * y_pred,
    )
    return tf.stack([tf.reduce_sum(weight * term, axis=0) for term in terms])


def ccc(pooled: tf.Tensor, unbiased_variance: bool = False) -> tf.Tensor:
    """2 cov / (var + var + (mean - mean)^2) for each dimension.

    Args:
      pooled: [6, D] float32 or float64, see moments.
      unbiased_variance: divide variances, but not the covariance, by n - 1, as the 2021
        code does; a perfect prediction then scores (n - 1) / n.

    Returns:
      [D] in [-1, 1]; 0, with gradient 0, where it is undefined: no example, or neither
      side varies and the means agree. NaN where a moment is.
    """
    count = pooled[0]
    mean_true, mean_pred, square_true, square_pred, product = tf.unstack(
        tf.math.divide_no_nan(pooled[1:], count)
    )
    correction = tf.math.divide_no_nan(count, count - 1.0) if unbiased_variance else 1.0
    # Rounding can leave a variance a hair below zero.
    variances = tf.nn.relu(square_true - mean_true**2) + tf.nn.relu(
        square_pred - mean_pred**2
    )
    covariance = product - mean_true * mean_pred
    scale = variances * correction + (mean_true - mean_pred) ** 2
    # Below this, what is left of the differences is rounding.
    rounding = _ROUNDING_64 if pooled.dtype == tf.float64 else _ROUNDING
    floor = rounding * (square_true + square_pred)
    known = tf.cast(scale > floor, scale.dtype)
    return known * tf.math.divide_no_nan(2.0 * covariance, scale)

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


def symmetric_cross_entropy(
    labels: tf.Tensor, logits: tf.Tensor, alpha: float, beta: float, log_zero: float
) -> tf.Tensor:
    """alpha CE + beta RCE (Wang et al., ICCV 2019, Eq. 7).

    The reverse cross entropy -sum_k p_k log y_k takes the one-hot label y as the
    prediction; log 0 is `log_zero` (A in the paper), so it is -A (1 - p_label).

    Args:
      labels: [B] int.
      logits: [B, K] float.
      alpha, beta: weights.
      log_zero: below 0.

    Returns:
      [B] float.
    """
    wrong = 1.0 - _probability(labels, logits)
    return alpha * cross_entropy(labels, logits) - beta * log_zero * wrong


def generalised_cross_entropy(
    labels: tf.Tensor, logits: tf.Tensor, q: float
) -> tf.Tensor:
    """(1 - p_label^q) / q (Zhang and Sabuncu, NeurIPS 2018, Eq. 6), q in (0, 1].

    Args and result as cross_entropy's, which it is in the limit q = 0; at q = 1 it is
    half the L1 distance from the one-hot label.
    """
    # By the log, whose gradient is finite where the probability is 0 in float32.
    return (1.0 - tf.exp(-q * cross_entropy(labels, logits))) / q


def smoothed_cross_entropy(
    labels: tf.Tensor, logits: tf.Tensor, smoothing: float
) -> tf.Tensor:
    """Cross entropy with (1 - s) onehot + s / K (Szegedy et al., CVPR 2016, sec. 7).

    Args:
      labels: [B] int.
      logits: [B, K] float.
      smoothing: s in [0, 1].

    Returns:
      [B] float.
    """
    uniform = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=1)
    return (1.0 - smoothing) * cross_entropy(labels, logits) + smoothing * uniform


def early_learning(probabilities: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """log(1 - <p, t>) (Liu et al., NeurIPS 2020, Eq. 6): the lower, the closer to t.

    Args:
      probabilities: [B, K], the prediction p.
      target: [B, K], the running mean t of earlier predictions; no gradient.

    Returns:
      [B] float, at most 0; bounded as probabilities are held to 1e-4 .. 1 - 1e-4, as
      the authors' code does.
    """
    held = tf.clip_by_value(probabilities, 1e-4, 1.0 - 1e-4)
    agreement = tf.reduce_sum(tf.stop_gradient(target) * held, axis=1)
    return tf.math.log(1.0 - agreement)


def _probability(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """softmax(logits)[label]: [B], [B, K] -> [B]."""
    return tf.gather(tf.nn.softmax(logits), labels, batch_dims=1)

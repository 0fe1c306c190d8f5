"""Losses of class labels, one value for each example.

Labels are hard, int [B] in 0..K-1, or soft: float [B, K], rows q of probabilities as
votes, posteriors and mixed pictures give them. A one-hot q gives the hard label's loss.
"""

import tensorflow as tf


def is_soft(labels: tf.Tensor) -> bool:
    """Whether the labels are probabilities [B, K], not classes [B]."""
    return len(labels.shape) > 1


def soft(labels: tf.Tensor, num_classes: int) -> tf.Tensor:
    """Labels as float32 [B, K]: soft ones as they are, hard ones as one-hot rows."""
    return labels if is_soft(labels) else tf.one_hot(labels, num_classes)


def hard(labels: tf.Tensor) -> tf.Tensor:
    """Labels as int32 [B]: of soft ones the first of the likeliest classes."""
    return tf.argmax(labels, 1, tf.int32) if is_soft(labels) else labels


def smoothed(labels: tf.Tensor, num_classes: int, smoothing: float) -> tf.Tensor:
    """(1 - s) q + s / K, float32 [B, K] (Szegedy et al., CVPR 2016, sec. 7).

    Args:
      labels: hard or soft.
      num_classes: K.
      smoothing: s in [0, 1].
    """
    return (1.0 - smoothing) * soft(labels, num_classes) + smoothing / num_classes


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """-sum_k q_k log softmax(logits)_k: of a hard label -log softmax(logits)[label].

    Args:
      labels: [B] int, in 0..K-1, or [B, K] float.
      logits: [B, K] float.

    Returns:
      [B] float, at least 0, in nats.
    """
    if is_soft(labels):
        tf.debugging.assert_shapes([(labels, ("B", "K")), (logits, ("B", "K"))])
        return tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    tf.debugging.assert_shapes([(labels, ("B",)), (logits, ("B", "K"))])
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def symmetric_cross_entropy(
    labels: tf.Tensor, logits: tf.Tensor, alpha: float, beta: float, log_zero: float
) -> tf.Tensor:
    """alpha CE + beta RCE (Wang et al., ICCV 2019, Eq. 7).

    The reverse cross entropy -sum_k p_k log q_k takes the label q as the prediction;
    log 0 is `log_zero` (A in the paper), so of a hard label it is -A (1 - p_label). The
    log of a soft label is held to A too.

    Args:
      labels: [B] int or [B, K] float.
      logits: [B, K] float.
      alpha, beta: weights.
      log_zero: below 0.

    Returns:
      [B] float.
    """
    if is_soft(labels):
        log_labels = tf.maximum(tf.math.log(labels), log_zero)
        reverse = -tf.reduce_sum(tf.nn.softmax(logits) * log_labels, axis=1)
        return alpha * cross_entropy(labels, logits) + beta * reverse
    wrong = 1.0 - _probability(labels, logits)
    return alpha * cross_entropy(labels, logits) - beta * log_zero * wrong


def generalised_cross_entropy(
    labels: tf.Tensor, logits: tf.Tensor, q: float
) -> tf.Tensor:
    """(1 - p_label^q) / q (Zhang and Sabuncu, NeurIPS 2018, Eq. 6), q in (0, 1].

    Args and result as cross_entropy's, which it is in the limit q = 0; at q = 1 it is
    half the L1 distance from the one-hot label. Of a soft label it is the mean over
    classes, sum_k q_k (1 - p_k^q) / q.
    """
    if is_soft(labels):
        powers = tf.exp(q * tf.nn.log_softmax(logits))
        return tf.reduce_sum(labels * (1.0 - powers), axis=1) / q
    # By the log, whose gradient is finite where the probability is 0 in float32.
    return (1.0 - tf.exp(-q * cross_entropy(labels, logits))) / q


def smoothed_cross_entropy(
    labels: tf.Tensor, logits: tf.Tensor, smoothing: float
) -> tf.Tensor:
    """Cross entropy with (1 - s) onehot + s / K (Szegedy et al., CVPR 2016, sec. 7).

    Args:
      labels: [B] int or [B, K] float.
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

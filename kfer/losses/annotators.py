"""What an annotator says, given the truth: Eq. 1-2 of the paper and their kin."""

import tensorflow as tf

# Of a Gram matrix of probabilities: above its rounding, below what is looked for.
_RIDGE = 1e-5


def noisy_log_probabilities(logits: tf.Tensor, log_matrix: tf.Tensor) -> tf.Tensor:
    """log p(given = j | x) = log sum_i T[i, j] p(true = i | x), Eq. 1-2.

    Args:
      logits: [B, K] of the true class.
      log_matrix: [K, K] log T[true, given]; -inf where T is 0.

    Returns:
      [B, K] log probabilities; they are logits of the same distribution, so any loss
      of logits takes them.
    """
    tf.debugging.assert_shapes([(logits, ("B", "K")), (log_matrix, ("K", "K"))])
    joint = tf.nn.log_softmax(logits)[:, :, None] + log_matrix[None]
    return tf.reduce_logsumexp(joint, axis=1)


def trace(matrices: list[tf.Tensor]) -> tf.Tensor:
    """Sum of the traces of [K, K] matrices (Tanno et al., CVPR 2019, Eq. 6).

    Minimised, it makes annotators as unreliable as the labels allow, which singles out
    the true matrices among those that fit.
    """
    return tf.add_n([tf.linalg.trace(matrix) for matrix in matrices])


def log_volume(gram: tf.Tensor) -> tf.Tensor:
    """log det(A'A + 1e-5 I), twice the log volume that A's columns span.

    Maximised, it singles out the true p and T among those that give the same p T
    (Ibrahim, Nguyen and Fu, ICLR 2023, Eq. 8 and 9). Adapted: the ridge keeps the value
    and its gradient finite where A has too small a rank, a batch of fewer pictures than
    classes; the authors leave such steps' term out.

    Args:
      gram: [K, K] A'A.

    Returns:
      Scalar, at least K log 1e-5.
    """
    return tf.linalg.logdet(gram + _RIDGE * tf.eye(gram.shape[0]))


def group_norms(features: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """sum_c ||diag(z) w_c||_2 for each example (Azadi et al., ICLR 2016).

    Args:
      features: [B, E], an auxiliary image's z.
      kernel: [E, K], a classifier's weights w_c by column.

    Returns:
      [B]. Its gradient is 0 where a norm is 0.
    """
    tf.debugging.assert_shapes([(features, ("B", "E")), (kernel, ("E", "K"))])
    squares = tf.matmul(tf.square(features), tf.square(kernel))
    positive = squares > 0.0
    roots = tf.sqrt(tf.where(positive, squares, 1.0))
    return tf.reduce_sum(tf.where(positive, roots, 0.0), axis=1)

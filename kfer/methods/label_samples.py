"""What D sees of predicted labels: through annotators' noise, as one-hot samples."""

import tensorflow as tf

from kfer.structures import Noise

_TINY = 1e-7


def uniforms(noise: Noise, count: int) -> tf.Tensor:
    """[B, count] uniform in [0, 1), a function of each example's own noise.

    Each is a sum, modulo 1, of the normal draws of both y0 taken to [0, 1), with whole
    factors. One such summand makes the sum uniform whatever the others are, so it says
    nothing of the y0 that D sees beside it.
    """
    normal = tf.concat([noise.y0_encoder, noise.y0_decoder], axis=1)
    phases = 0.5 * (1.0 + tf.math.erf(normal * 0.5**0.5))
    place = tf.range(normal.shape[1])[:, tf.newaxis]
    factors = 1 + (place * (1 + tf.range(count))) % 5
    return tf.math.floormod(tf.matmul(phases, tf.cast(factors, tf.float32)), 1.0)


def seen(
    logits: tf.Tensor, how: str, matrix: tf.Tensor | None, uniform: tf.Tensor
) -> tf.Tensor:
    """A predicted class label as D sees it, [B, K].

    Args:
      logits: [B, K] of the truth, or of what the label set's annotator says.
      how: recipe.discriminator_label_input.
      matrix: T[true, given] [K, K] of the annotator; None leaves the prediction.
      uniform: [B] in [0, 1), for samples.

    Returns:
      [B, K]; the matrix gets no gradient.
    """
    if how == "logits" and matrix is None:
        return logits
    probabilities = tf.nn.softmax(logits)
    if matrix is not None:
        probabilities = tf.matmul(probabilities, tf.stop_gradient(matrix))
    if how == "logits":
        return tf.math.log(probabilities + _TINY)
    if how == "probabilities":
        return probabilities
    return one_hot_samples(probabilities, uniform)


def one_hot_samples(probabilities: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """One class drawn from each row; its gradient is the probabilities' own.

    The straight-through estimate of Bengio et al. (arXiv 1308.3432), and exactly 0 and
    1 in value, so that nothing but its class can be read off a sample.

    Args:
      probabilities: [B, K], rows sum to 1.
      uniform: [B] in [0, 1).

    Returns:
      [B, K] float32.
    """
    size = probabilities.shape[1]
    passed = tf.cumsum(probabilities, axis=1) <= uniform[:, tf.newaxis]
    drawn = tf.reduce_sum(tf.cast(passed, tf.int32), axis=1)
    hard = tf.one_hot(tf.minimum(drawn, size - 1), size)
    return hard + (probabilities - tf.stop_gradient(probabilities))

"""The hinge functions g, h and h-hat of Eq. 10 (Zhang et al., WACV 2021), by element.

A score above 0 says 'encoder', below 0 'decoder'. Scores and results have one shape.
"""

import tensorflow as tf


def g(z: tf.Tensor) -> tf.Tensor:
    """min(0, z - 1): 0 once an encoder group's score is above +1. D maximises it."""
    return tf.minimum(0.0, z - 1.0)


def h(z: tf.Tensor) -> tf.Tensor:
    """min(0, -z - 1): 0 once a decoder group's score is below -1. D maximises it."""
    return tf.minimum(0.0, -z - 1.0)


def h_hat(z: tf.Tensor) -> tf.Tensor:
    """-z. The generator minimises h_hat(-s_encoder) + h_hat(s_decoder)."""
    return -z


def r1(gradient: tf.Tensor) -> tf.Tensor:
    """Half the squared length of D's gradient at real pictures, minimised by D.

    Mescheder et al., ICML 2018, Eq. 9: how steep D is where nothing is drawn.

    Args:
      gradient: [B, S, S, 3] of the sum of scores with respect to the pictures.

    Returns:
      [B] float32, at least 0.
    """
    return 0.5 * tf.reduce_sum(tf.square(tf.cast(gradient, tf.float32)), [1, 2, 3])


def discriminator_encoder(
    score: tf.Tensor, weight: float, inside: bool = False
) -> tf.Tensor:
    """-weight g(score), or -g(weight score) inside; at least 0, minimised by D."""
    return -g(weight * score) if inside else -weight * g(score)


def discriminator_decoder(
    score: tf.Tensor, weight: float, inside: bool = False
) -> tf.Tensor:
    """-weight h(score), or -h(weight score) inside; at least 0, minimised by D."""
    return -h(weight * score) if inside else -weight * h(score)


def generator_encoder(score: tf.Tensor, weight: float) -> tf.Tensor:
    """weight h_hat(-score): the encoder lowers its own score."""
    return weight * h_hat(-score)


def generator_decoder(score: tf.Tensor, weight: float) -> tf.Tensor:
    """weight h_hat(score): the decoder raises its own score."""
    return weight * h_hat(score)

"""Which examples of a batch have a small loss (Han et al., NeurIPS 2018)."""

import tensorflow as tf

from kfer.losses import reduction


def small_loss(losses: tf.Tensor, given: tf.Tensor, share: tf.Tensor) -> tf.Tensor:
    """Marks the smallest losses of the global batch.

    Args:
      losses: [B] of this replica.
      given: [B] of 0 and 1; where 0 there is no loss, and the example is never chosen.
      share: scalar in (0, 1]; of the n given losses int(share n) are chosen, at least
        one. Equal losses at the border are all chosen.

    Returns:
      [B] float32 of 0 and 1, without gradient.
    """
    losses = tf.where(given > 0.0, tf.stop_gradient(losses), float("inf"))
    everyone = tf.sort(reduction.gather(losses))
    count = tf.reduce_sum(tf.cast(tf.math.is_finite(everyone), tf.float32))
    # The product of floats may fall a hair short of a whole number.
    chosen = tf.maximum(tf.cast(share * count + 1e-3, tf.int32), 1)
    border = everyone[chosen - 1]
    return tf.cast(losses <= border, tf.float32) * given


def remember_share(epoch: tf.Tensor, forget_rate: float, ramp_epochs: int) -> tf.Tensor:
    """R(T) = 1 - tau min(T / T_k, 1).

    Args:
      epoch: T, whole epochs done, float scalar.
      forget_rate: tau.
      ramp_epochs: T_k.
    """
    return 1.0 - forget_rate * tf.minimum(epoch / ramp_epochs, 1.0)

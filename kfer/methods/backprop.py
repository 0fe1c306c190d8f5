"""Gradients of a loss, whatever precision the layers multiply in."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def gradients(
    tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[tf.Variable], by: Any
) -> list[tf.Tensor]:
    """The loss's gradients; computed at the scale of the optimizer `by`, if it has one.

    Variables that have no part in the loss get zeros.
    """
    none = tf.UnconnectedGradients.ZERO
    if not isinstance(by, keras.mixed_precision.LossScaleOptimizer):
        return tape.gradient(loss, variables, unconnected_gradients=none)
    scale = by.get_scaled_loss(tf.ones_like(loss))
    scaled = tape.gradient(loss, variables, scale, unconnected_gradients=none)
    return by.get_unscaled_gradients(scaled)

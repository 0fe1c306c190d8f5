"""Gradients of a loss, whatever precision the layers multiply in."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow import keras


def gradients(
    tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[tf.Variable], by: Any
) -> list[tf.Tensor | None]:
    """The loss's gradients; computed at the scale of the optimizer `by`, if it has one.

    Variables that have no part in the loss get None.
    """
    if not isinstance(by, keras.mixed_precision.LossScaleOptimizer):
        return tape.gradient(loss, variables)
    scale = by.get_scaled_loss(tf.ones_like(loss))
    return by.get_unscaled_gradients(tape.gradient(loss, variables, scale))


def descend(
    tape: tf.GradientTape, loss: tf.Tensor, variables: Sequence[tf.Variable], by: Any
) -> None:
    """One step of the optimizer `by` on the variables that have a part in the loss.

    The others stay, and so do their moments and their count of steps: y0's heads and
    G_X in a warm-up.
    """
    found = zip(gradients(tape, loss, variables, by), variables, strict=True)
    update(list(found), by)


def update(pairs: Sequence[tuple[Any, tf.Variable]], by: Any) -> None:
    """One step of the optimizer `by` on pairs of gradient, or None, and variable."""
    if known := [pair for pair in pairs if pair[0] is not None]:
        by.apply_gradients(known)

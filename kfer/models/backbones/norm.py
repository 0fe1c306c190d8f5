"""Batch norm over all replicas' pictures, without a scale."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.losses import reduction


class BatchNorm(keras.layers.Layer):
    """(x - mean) / sqrt(variance + epsilon) + beta, by channel (Ioffe, Szegedy 2015).

    In training mean and variance are the global batch's, whatever the number of
    replicas, and the moving ones take 1 - momentum of them; else the moving ones count.

    Args:
      momentum: share of a moving statistic that stays at a step.
      epsilon: added to the variance.
    """

    def __init__(self, momentum: float = 0.6, epsilon: float = 1e-12, **kwargs: Any):
        super().__init__(**kwargs)
        self.momentum, self.epsilon = momentum, epsilon

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")
        self.mean = self._statistic("mean", shape, "zeros")
        self.variance = self._statistic("variance", shape, "ones")
        super().build(input_shape)

    def _statistic(self, name: str, shape: tuple[int], start: str) -> tf.Variable:
        # Every replica computes the same value, so any one of them is it.
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=tf.float32,
            initializer=start,
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def get_config(self) -> dict[str, Any]:
        own = {"momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own}

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if training:
            mean, variance = moments(tf.cast(inputs, tf.float32))
            for moving, now in ((self.mean, mean), (self.variance, variance)):
                moving.assign(self.momentum * moving + (1.0 - self.momentum) * now)
        else:
            mean, variance = tf.identity(self.mean), tf.identity(self.variance)
        scale = tf.math.rsqrt(variance + self.epsilon)
        shift = tf.cast(self.beta, tf.float32) - mean * scale
        return inputs * tf.cast(scale, inputs.dtype) + tf.cast(shift, inputs.dtype)


def moments(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance [C] of [B, ..., C] over every replica's values."""
    axes = list(range(len(values.shape) - 1))
    if reduction.replicas() == 1:
        mean, variance = tf.nn.moments(values, axes)
        return mean, variance
    count = reduction.global_sum(tf.cast(tf.size(values[..., 0]), tf.float32))
    mean = reduction.global_sum(tf.reduce_sum(values, axes)) / count
    squares = reduction.global_sum(tf.reduce_sum((values - mean) ** 2, axes))
    return mean, squares / count

"""Batch norm over all replicas' pictures, without a scale."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.losses import reduction


class BatchNorm(keras.layers.Layer):
    """(x - mean) / sqrt(variance + epsilon) + beta of [B, H, W, C] by channel.

    After Ioffe and Szegedy 2015.

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
        # Read in float32 whatever layers multiply in: an offset of a few bits is noise.
        self.beta = self.add_weight(
            name="beta", shape=shape, initializer="zeros", experimental_autocast=False
        )
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
            experimental_autocast=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def get_config(self) -> dict[str, Any]:
        own = {"momentum": self.momentum, "epsilon": self.epsilon}
        return {**super().get_config(), **own}

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training:
            return _scaled(inputs, *self.scale_and_shift())
        if reduction.replicas() == 1:
            outputs, mean, variance = self._fused(inputs)
        else:
            mean, variance = moments(tf.cast(inputs, tf.float32))
            outputs = _scaled(inputs, *self._affine(mean, variance))
        for moving, now in ((self.mean, mean), (self.variance, variance)):
            moving.assign(self.momentum * moving + (1.0 - self.momentum) * now)
        return outputs

    def scale_and_shift(self) -> tuple[tf.Tensor, tf.Tensor]:
        """[C] and [C] float32, by which the moving statistics answer: x scale + shift.

        The scale is positive, so that a convolution before, and a max-pool between, can
        take both on (Compact does).
        """
        return self._affine(tf.identity(self.mean), tf.identity(self.variance))

    def _affine(
        self, mean: tf.Tensor, variance: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        scale = tf.math.rsqrt(variance + self.epsilon)
        return scale, self.beta - mean * scale

    def _fused(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Outputs, mean and biased variance in one pass, a third of the time."""
        fused = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.ones_like(self.beta),
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
        )
        # It hands out the unbiased variance, n / (n - 1) of what the batch has.
        count = tf.cast(tf.size(inputs[..., 0]), tf.float32)
        biased = fused.batch_variance * (count - 1.0) / count
        return fused.y, fused.batch_mean, biased


def _scaled(inputs: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    return inputs * tf.cast(scale, inputs.dtype) + tf.cast(shift, inputs.dtype)


def moments(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and biased variance [C] of [B, ..., C] over every replica's values."""
    axes = list(range(len(values.shape) - 1))
    count = reduction.global_sum(tf.cast(tf.size(values[..., 0]), tf.float32))
    mean = reduction.global_sum(tf.reduce_sum(values, axes)) / count
    squares = reduction.global_sum(tf.reduce_sum((values - mean) ** 2, axes))
    return mean, squares / count

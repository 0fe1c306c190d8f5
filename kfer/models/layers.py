"""The discriminator's building blocks.

Each takes one tensor or a tuple of tensors (the encoder's and the decoder's group);
those of a tuple share one spectral norm and one power iteration.
"""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.models.spectral import (
    SpectralConv2D,
    SpectralDense,
    SpectralDenseStack,
    channels_of,
)


def each(function: Any, *inputs: Any) -> Any:
    """`function` on every tensor of the groups."""
    return tf.nest.map_structure(function, *inputs)


class ResidualBlock(keras.layers.Layer):
    """Two 3x3 convolutions beside a shortcut (Miyato et al. 2018, BigGAN's wide form).

    Args:
      filters: number of output channels.
      activate_first: ReLU before the first convolution (not on raw images).
      downsample: halve the side by average pooling; else the shortcut is the identity.
    """

    def __init__(
        self, filters: int, activate_first: bool, downsample: bool, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.activate_first = activate_first
        self.downsample = downsample
        self.conv1 = SpectralConv2D(filters, 3, name="conv1")
        self.conv2 = SpectralConv2D(filters, 3, pool=downsample, name="conv2")
        if downsample:
            self.conv_sc = SpectralConv2D(filters, 1, pool=True, name="conv_sc")

    def get_config(self) -> dict[str, Any]:
        own = ("filters", "activate_first", "downsample")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    def call(self, inputs: Any, training: bool = False) -> Any:
        hidden = each(tf.nn.relu, inputs) if self.activate_first else inputs
        inner = each(tf.nn.relu, self.conv1(hidden, training=training))
        hidden = self.conv2(inner, training=training)
        shortcut = (
            self.conv_sc(inputs, training=training) if self.downsample else inputs
        )
        return each(_sum, hidden, shortcut, inner)


class SelfAttention(keras.layers.Layer):
    """Self-attention over the map's positions (Zhang et al. 2018), gain from 0."""

    def build(self, input_shape: Any) -> None:
        channels = channels_of(input_shape)
        self.theta = SpectralConv2D(channels // 8, 1, use_bias=False, name="theta")
        self.phi = SpectralConv2D(channels // 8, 1, use_bias=False, name="phi")
        self.g = SpectralConv2D(channels // 2, 1, use_bias=False, name="g")
        self.o = SpectralConv2D(channels, 1, use_bias=False, name="o")
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        theta = self.theta(inputs, training=training)
        phi = self.phi(inputs, training=training)
        g = self.g(inputs, training=training)
        attended = self.o(each(_attend, theta, phi, g), training=training)
        return each(lambda x, a: self.gamma * a + x, inputs, attended)


class ResidualMLP(keras.layers.Layer):
    """A linear layer plus four parallel two-layer perceptrons on it; no last ReLU.

    out = x + sum_i W_2i relu(W_2i-1 relu(x)), x = W inputs.

    Args:
      units: width of every layer.
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.linear = SpectralDense(units, name="linear")
        self.first = SpectralDenseStack(units, 4, name="first")
        self.second = SpectralDenseStack(units, 4, name="second")

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}

    def call(self, inputs: Any, training: bool = False) -> Any:
        outputs = self.linear(inputs, training=training)
        inner = self.first(each(tf.nn.relu, outputs), training=training)
        branches = self.second(each(tf.nn.relu, inner), training=training)
        return each(lambda x, b: x + tf.reduce_sum(b, 0), outputs, branches)


def _sum(hidden: tf.Tensor, shortcut: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
    """hidden + shortcut, in a form that TensorFlow's graph optimizer can fuse around.

    It would fold the sum into the next block's ReLU and drop it, though the next
    shortcut reads it too, and then give up every fusion of the graph ("remapper
    failed"). It leaves alone what waits for `before`, which is computed by then anyway.
    """
    with tf.control_dependencies([before]):
        return tf.add(hidden, shortcut)


def _attend(theta: tf.Tensor, phi: tf.Tensor, g: tf.Tensor) -> tf.Tensor:
    """Each position's mean of g, weighted by softmax(theta . phi) over pooled keys."""
    height, width = theta.shape[1:3]
    queries = tf.reshape(theta, [-1, height * width, theta.shape[-1]])
    keys, values = (
        tf.reshape(pooled, [-1, pooled.shape[1] * pooled.shape[2], pooled.shape[-1]])
        for pooled in (tf.nn.max_pool2d(t, 2, 2, "VALID") for t in (phi, g))
    )
    weights = tf.nn.softmax(tf.matmul(queries, keys, transpose_b=True))
    return tf.reshape(tf.matmul(weights, values), [-1, height, width, g.shape[-1]])

"""Where the encoder's dense layers start, seen from its first pictures."""

from collections.abc import Sequence

import tensorflow as tf
from tensorflow import keras

NUM_IMAGES = 256
_VARIANCE_FLOOR = 1e-6


def standardize(maps: tf.Tensor, hidden_layers: Sequence[keras.layers.Dense]) -> None:
    """Makes each hidden dense unit's input have mean 0 and variance 1.

    Thirteen layers of ReLU without normalisation give all pictures nearly the same
    features; the heads then learn nothing for many epochs. Here the differences are
    brought to size 1 once, before the first step; the convolutions keep their start.
    The function computed is of the same family: only kernels and biases are set
    (data-dependent initialisation: Krähenbühl et al. 2016; Salimans and Kingma 2016).

    Args:
      maps: [N, D] what the first layer reads of some hundreds of training pictures, of
        any precision.
      hidden_layers: built dense layers, each read by the next under a ReLU.
    """
    # In float32 whatever the layers compute in: what is measured are small differences.
    hidden = tf.cast(maps, tf.float32)
    for layer in hidden_layers:
        mean, variance = tf.nn.moments(_units(layer, hidden), axes=[0])
        scale = tf.math.rsqrt(variance + _VARIANCE_FLOOR)
        layer.kernel.assign(layer.kernel * scale)
        layer.bias.assign((layer.bias - mean) * scale)
        hidden = tf.nn.relu(_units(layer, hidden))


def _units(layer: keras.layers.Dense, inputs: tf.Tensor) -> tf.Tensor:
    return tf.matmul(inputs, layer.kernel) + layer.bias

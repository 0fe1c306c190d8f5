"""Where the encoder's dense layers start, seen from its first pictures."""

import tensorflow as tf

from kfer.models.encoder import Encoder

NUM_IMAGES = 256
_VARIANCE_FLOOR = 1e-6


def standardize(encoder: Encoder, images: tf.Tensor) -> None:
    """Makes each hidden dense unit's input have mean 0 and variance 1 on `images`.

    Thirteen layers of ReLU without normalisation give all pictures nearly the same
    features; the heads then learn nothing for many epochs. Here the differences are
    brought to size 1 once, before the first step; the convolutions keep their start.
    The function computed is of the same family: only kernels and biases are set
    (data-dependent initialisation: Krähenbühl et al. 2016; Salimans and Kingma 2016).

    Args:
      encoder: built.
      images: [N, S, S, 3] float32 in [-1, 1], some hundreds of training pictures.
    """
    hidden = encoder.flat_maps(images)
    for layer in encoder.embedding:
        mean, variance = tf.nn.moments(layer(hidden), axes=[0])
        scale = tf.math.rsqrt(variance + _VARIANCE_FLOOR)
        layer.kernel.assign(layer.kernel * scale)
        layer.bias.assign((layer.bias - mean) * scale)
        hidden = tf.nn.relu(layer(hidden))

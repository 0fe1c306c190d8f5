"""What an annotator makes of a picture's true class, by a small network."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from kfer.models.spectral import torch_uniform


class ConfusionNet(keras.layers.Layer):
    """log T(x, a)[true, given] from a picture's features and who says it.

    One hidden layer of ReLU reads both, then a linear one; its bias starts at
    log(d (K - 1) / (1 - d)) I, so that every T starts near d on its diagonal (Herde et
    al., ECAI 2024, sec. 4). Multiplies in float32 whatever the policy.

    Args:
      classes: K.
      units: of the hidden layer.
      features: F, of a picture.
      annotators: A.
      diagonal: d in (0, 1).
      **kwargs: of keras.layers.Layer.
    """

    def __init__(
        self,
        classes: int,
        units: int,
        features: int,
        annotators: int,
        diagonal: float,
        **kwargs: Any,
    ):
        super().__init__(dtype="float32", **kwargs)
        self.classes = classes
        inputs = features + annotators
        self.of_picture = _linear(units, inputs, "of_picture")
        self.of_annotator = _linear(units, inputs, "of_annotator", use_bias=False)
        right = math.log(diagonal * (classes - 1) / (1.0 - diagonal))
        prior = keras.initializers.Constant((right * np.eye(classes)).ravel().tolist())
        self.matrix = _linear(classes**2, units, "matrix", bias_initializer=prior)

    def call(self, features: tf.Tensor, who: tf.Tensor) -> tf.Tensor:
        """[B, F] features, [B, A', A] shares of the annotators in each of A' labels.

        Returns:
          [B, A', K, K] log T; the exponentials of its last axis add up to 1.
        """
        size = self.classes
        hidden = self.of_picture(features)[:, tf.newaxis] + self.of_annotator(who)
        logits = self.matrix(tf.nn.relu(hidden))
        shape = tf.concat([tf.shape(logits)[:2], [size, size]], axis=0)
        return tf.nn.log_softmax(tf.reshape(logits, shape))


def _linear(units: int, inputs: int, name: str, **kwargs: Any) -> keras.layers.Dense:
    options = {"bias_initializer": torch_uniform(inputs), **kwargs}
    return keras.layers.Dense(
        units,
        kernel_initializer=torch_uniform(inputs),
        name=name,
        dtype="float32",
        **options,
    )

"""A score of how labels fit a picture: a projection on the encoder's features."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.tasks import LabelTask

# Length of the standardised features beside the 1 that lets a label count by itself.
_LENGTH = 4.0
_TINY = 1e-6


class LabelFit(keras.layers.Layer):
    """sum over label sets of e(label)^T W phi(x) (Miyato and Koyama, ICLR 2018, Eq. 3).

    D's own picture stream hardly tells pictures apart; the encoder's features do, and
    get no gradient here. phi(x) is 1 and the features, centred and of length 4 for
    each picture. e of a class is its probabilities; of values v within their range as
    [-1, 1] it is all v_i and v_i v_j, enough for a distance from what the picture
    suggests. W starts at 0, so that what is not learned yet moves nothing.

    Args:
      tasks: the label sets.
    """

    def __init__(self, tasks: tuple[LabelTask, ...], **kwargs: Any):
        super().__init__(dtype="float32", **kwargs)
        self.tasks = tasks

    def build(self, input_shape: Any) -> None:
        units = 1 + int(input_shape[-1])
        self.maps = {
            task.name: keras.layers.Dense(
                units,
                use_bias=False,
                kernel_initializer="zeros",
                dtype="float32",
                name=f"map_{task.name}",
            )
            for task in self.tasks
        }
        super().build(input_shape)

    def call(self, features: tf.Tensor, labels: dict[str, tf.Tensor]) -> tf.Tensor:
        """Scores pairs of pictures and labels.

        Args:
          features: [B, F] of the encoder.
          labels: task -> [B, size], one-hot classes, probabilities or values.

        Returns:
          [B] float32; D takes it below 0 where labels fit.
        """
        seen = standardised(features)
        total = tf.zeros([tf.shape(seen)[0]])
        for task in self.tasks:
            mapped = self.maps[task.name](lifted(task, labels[task.name]))
            total += tf.reduce_sum(mapped * seen, axis=1)
        return total


def standardised(features: tf.Tensor) -> tf.Tensor:
    """phi: [B, F] -> [B, 1 + F], without gradient."""
    hidden = tf.stop_gradient(tf.cast(features, tf.float32))
    hidden -= tf.reduce_mean(hidden, axis=1, keepdims=True)
    length = tf.norm(hidden, axis=1, keepdims=True) + _TINY
    return tf.concat([tf.ones_like(length), _LENGTH * hidden / length], axis=1)


def lifted(task: LabelTask, labels: tf.Tensor) -> tf.Tensor:
    """e: [B, size] -> [B, size] classes or [B, size (size + 3) / 2] of values."""
    labels = tf.cast(labels, tf.float32)
    if task.is_categorical:
        return labels
    middle, half = (task.high + task.low) / 2, (task.high - task.low) / 2
    values = tf.unstack((labels - middle) / half, axis=1)
    products = [a * b for i, a in enumerate(values) for b in values[i:]]
    return tf.stack(values + products, axis=1)

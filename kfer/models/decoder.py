"""G_X: (y0, labels) -> image, Eq. 5."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.models.configured import Configured
from kfer.models.layout import ladder
from kfer.models.spectral import SpectralConv2DTranspose, SpectralDense
from kfer.settings.config import ExperimentConfig
from kfer.tasks import LabelTask


class Decoder(Configured, keras.Model):
    """Draws images from y0 and labels.

    Args:
      config: gives image size, width and the stream tasks whose labels it reads.
    """

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(name=kwargs.pop("name", "decoder"), **kwargs)
        self.config = config
        self.base, channels = ladder(config.image_size)
        first = config.channels(512)
        self.linear = SpectralDense(first * self.base**2, name="linear")
        self.deconvolutions = [
            SpectralConv2DTranspose(config.channels(count), name=f"deconv{i}")
            for i, count in enumerate(channels, 1)
        ]
        self.norms = [
            keras.layers.BatchNormalization(
                momentum=0.9, epsilon=1e-5, synchronized=True, name=f"bn{i}"
            )
            for i in range(1, len(channels) + 1)
        ]
        self.last = SpectralConv2DTranspose(3, name=f"deconv{len(channels) + 1}")

    def call(
        self, y0: tf.Tensor, labels: dict[str, tf.Tensor], training: bool = False
    ) -> tf.Tensor:
        """Draws one image for each row.

        Args:
          y0: [B, Z] standard normal.
          labels: stream task -> [B, size] one-hot classes or values; zeros if missing.
          training: use the batch's statistics and move u.

        Returns:
          [B, S, S, 3] in [-1, 1], float32.
        """
        inputs = [y0, *(labels[task.name] for task in self.config.stream_tasks)]
        hidden = tf.concat([tf.cast(i, self.compute_dtype) for i in inputs], axis=1)
        hidden = tf.nn.relu(self.linear(hidden, training=training))
        hidden = tf.reshape(
            hidden, [-1, self.base, self.base, hidden.shape[1] // self.base**2]
        )
        for layer, norm in zip(self.deconvolutions, self.norms, strict=True):
            hidden = norm(layer(hidden, training=training), training=training)
            hidden = tf.nn.relu(hidden)
        return tf.tanh(tf.cast(self.last(hidden, training=training), tf.float32))


def label_input(task: LabelTask, labels: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """[B, size]: one-hot classes, soft ones, or values; zeros where one is missing."""
    hard = task.is_categorical and len(labels.shape) == 1
    values = tf.one_hot(labels, task.size) if hard else labels
    given = tf.cast(mask > 0.0, tf.float32)
    return tf.cast(values, tf.float32) * given[:, None]

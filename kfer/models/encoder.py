"""G_Y: image -> (y0, labels), Eq. 5; VGG-16 convolutions without batch norm."""

import math
from typing import Any

import keras
import tensorflow as tf

from kfer.models import convolution
from kfer.models.configured import Configured
from kfer.models.layout import ENCODER_BLOCKS
from kfer.models.spectral import torch_uniform
from kfer.settings.config import ExperimentConfig
from kfer.structures import EncoderOutput
from kfer.tasks import LabelTask


class Convolution(keras.layers.Layer):
    """A 3x3 convolution with ReLU.

    Args:
      filters: number of output channels.
      start: recipe.encoder_start: the variance is 2 / (9 filters) for 'authors_2021',
        else 2 / fan in.
    """

    def __init__(self, filters: int, start: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters
        self.start = start

    def build(self, input_shape: Any) -> None:
        fan = self.filters if self.start == "authors_2021" else input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(3, 3, input_shape[-1], self.filters),
            initializer=keras.initializers.RandomNormal(
                stddev=math.sqrt(2.0 / (9 * fan))
            ),
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.filters,), initializer="zeros"
        )
        super().build(input_shape)

    def get_config(self) -> dict[str, Any]:
        own = {"filters": self.filters, "start": self.start}
        return {**super().get_config(), **own}

    def call(self, image: tf.Tensor) -> tf.Tensor:
        outputs = convolution.conv3x3(image, tf.cast(self.kernel, self.compute_dtype))
        return tf.nn.relu(tf.nn.bias_add(outputs, tf.cast(self.bias, outputs.dtype)))


def hidden_layer(units: int, inputs: int, start: str, name: str) -> keras.layers.Dense:
    """A dense layer under a ReLU."""
    if start == "authors_2021":
        return linear(units, inputs, name)
    return keras.layers.Dense(units, kernel_initializer="he_normal", name=name)


def linear(units: int, inputs: int, name: str) -> keras.layers.Dense:
    """A dense layer started as PyTorch starts it, bias too."""
    return keras.layers.Dense(
        units,
        kernel_initializer=torch_uniform(inputs),
        bias_initializer=torch_uniform(inputs),
        name=name,
    )


class Encoder(Configured, keras.Model):
    """Predicts the labels and a non-emotion vector y0.

    Args:
      config: gives image size, width, tasks, noise size and dropout rate.
    """

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(name=kwargs.pop("name", "encoder"), **kwargs)
        self.config = config
        start = config.recipe.encoder_start
        self.convolutions = [
            [
                Convolution(
                    config.channels(filters), start, name=f"conv{block}_{index}"
                )
                for index, filters in enumerate(row, 1)
            ]
            for block, row in enumerate(ENCODER_BLOCKS, 1)
        ]
        units = config.channels(config.embedding_size)
        side = config.image_size // 32
        inputs = config.channels(ENCODER_BLOCKS[-1][-1]) * side * side
        self.embedding = [
            hidden_layer(units, inputs, start, "embedding1"),
            hidden_layer(units, units, start, "embedding2"),
        ]
        self.mean_layer = linear(config.noise_size, units, "mean")
        self.logvar_layer = linear(config.noise_size, units, "logvar")
        self.heads = [linear(t.size, units, f"head_{t.name}") for t in config.tasks]

    def flat_maps(self, image: tf.Tensor) -> tf.Tensor:
        """[B, S, S, 3] in [-1, 1] -> the last convolutions' maps, flat."""
        hidden = tf.cast(image, self.compute_dtype)
        for block in self.convolutions:
            for layer in block:
                hidden = layer(hidden)
            hidden = tf.nn.max_pool2d(hidden, 2, 2, "VALID")
        return tf.reshape(hidden, [-1, math.prod(hidden.shape[1:])])

    def features(self, image: tf.Tensor, dropout: tf.Tensor | None) -> tf.Tensor:
        """[B, S, S, 3] in [-1, 1] -> [B, E], what all heads read.

        Args:
          image: the pictures.
          dropout: [B, 2E] uniform in [0, 1); a unit is dropped where it is below the
            rate. None keeps all.
        """
        hidden = self.flat_maps(image)
        draws = [None, None] if dropout is None else tf.split(dropout, 2, axis=1)
        for layer, draw in zip(self.embedding, draws, strict=True):
            hidden = self._drop(tf.nn.relu(layer(hidden)), draw)
        return hidden

    def call(self, image: tf.Tensor, dropout: tf.Tensor | None = None) -> EncoderOutput:
        return self.read_heads(self.features(image, dropout))

    def read_heads(self, hidden: tf.Tensor) -> EncoderOutput:
        """What the heads read from features [B, E]."""
        return EncoderOutput(
            mean=tf.cast(self.mean_layer(hidden), tf.float32),
            logvar=tf.cast(self.logvar_layer(hidden), tf.float32),
            labels={
                task.name: self._output(task, head(hidden))
                for task, head in zip(self.config.tasks, self.heads, strict=True)
            },
        )

    def _drop(self, hidden: tf.Tensor, draw: tf.Tensor | None) -> tf.Tensor:
        rate = self.config.dropout_rate
        if draw is None or rate == 0.0:
            return hidden
        kept = tf.cast(draw >= rate, hidden.dtype)
        return hidden * kept / tf.cast(1.0 - rate, hidden.dtype)

    def _output(self, task: LabelTask, raw: tf.Tensor) -> tf.Tensor:
        raw = tf.cast(raw, tf.float32)
        if task.is_categorical or self.config.recipe.continuous_output == "linear":
            return raw
        middle, half = (task.high + task.low) / 2, (task.high - task.low) / 2
        return middle + half * tf.tanh(raw)


def sample_y0(output: EncoderOutput, noise: tf.Tensor) -> tf.Tensor:
    """y0 = mean + exp(logvar / 2) noise, [B, Z] (the 2021 code; no KL term)."""
    return output.mean + tf.exp(0.5 * output.logvar) * noise

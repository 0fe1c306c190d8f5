"""The paper's trunk: VGG-16's convolutions without batch norm, two dense layers."""

import math
from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.models import convolution, pretrained, start
from kfer.models.backbones.base import Backbone
from kfer.models.backbones.dense import linear
from kfer.models.layout import ENCODER_BLOCKS
from kfer.settings.config import ExperimentConfig


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


class Vgg16(Backbone):
    """13 convolutions and two hidden layers with dropout (the 2021 code)."""

    starts_augmented = True

    def __init__(self, config: ExperimentConfig):
        super().__init__(config)
        first = config.recipe.encoder_start
        self.convolutions = [
            [
                Convolution(
                    config.channels(filters), first, name=f"conv{block}_{index}"
                )
                for index, filters in enumerate(row, 1)
            ]
            for block, row in enumerate(ENCODER_BLOCKS, 1)
        ]
        self.size = config.channels(config.embedding_size)
        side = config.image_size // 32
        inputs = config.channels(ENCODER_BLOCKS[-1][-1]) * side * side
        self.embedding = [
            hidden_layer(self.size, inputs, first, "embedding1"),
            hidden_layer(self.size, self.size, first, "embedding2"),
        ]

    @property
    def start_images(self) -> int:  # type: ignore[override]
        standardized = self.config.recipe.encoder_start == "standardized"
        return start.NUM_IMAGES if standardized else 0

    def parts(self) -> dict[str, Any]:
        return {"convolutions": self.convolutions, "embedding": self.embedding}

    def flat_maps(self, image: tf.Tensor) -> tf.Tensor:
        """The last convolutions' maps, flat."""
        maps = image
        for block in self.convolutions:
            for layer in block:
                maps = layer(maps)
            maps = tf.nn.max_pool2d(maps, 2, 2, "VALID")
        return tf.reshape(maps, [-1, math.prod(maps.shape[1:])])

    def __call__(
        self, image: tf.Tensor, dropout: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        hidden = self.flat_maps(image)
        draws = [None, None] if dropout is None else tf.split(dropout, 2, axis=1)
        for layer, draw in zip(self.embedding, draws, strict=True):
            hidden = self._drop(tf.nn.relu(layer(hidden)), draw)
        return hidden

    def _drop(self, hidden: tf.Tensor, draw: tf.Tensor | None) -> tf.Tensor:
        rate = self.config.dropout_rate
        if draw is None or rate == 0.0:
            return hidden
        kept = tf.cast(draw >= rate, hidden.dtype)
        return hidden * kept / tf.cast(1.0 - rate, hidden.dtype)

    def start(self, images: tf.Tensor) -> None:
        if self.start_images:
            start.standardize(self.flat_maps(images), self.embedding)

    def load(self, source: str) -> None:
        pretrained.load(self.convolutions, source)

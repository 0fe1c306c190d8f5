"""G_Y: image -> (y0, labels), Eq. 5: a backbone and a head for each output."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.models import backbones
from kfer.models.backbones.dense import linear
from kfer.models.configured import Configured
from kfer.settings.config import ExperimentConfig
from kfer.structures import EncoderOutput
from kfer.tasks import LabelTask


class Encoder(Configured, keras.Model):
    """Predicts the labels and a non-emotion vector y0.

    Args:
      config: gives backbone, image size, width, tasks and noise size.
    """

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(name=kwargs.pop("name", "encoder"), **kwargs)
        self.config = config
        self.trunk = backbones.make(config)
        for attribute, part in self.trunk.parts().items():
            setattr(self, attribute, part)
        self.mean_layer = self._head(config.noise_size, "mean")
        self.logvar_layer = self._head(config.noise_size, "logvar")
        self.heads = [self._head(t.size, f"head_{t.name}") for t in config.tasks]

    def _head(self, units: int, name: str) -> keras.layers.Dense:
        size, bias = self.trunk.size, self.trunk.head_bias
        return linear(units, size, name, bias)

    def features(
        self, image: tf.Tensor, dropout: tf.Tensor | None, training: bool = False
    ) -> tf.Tensor:
        """[B, S, S, 3] in [-1, 1] -> [B, F], what all heads read.

        Args:
          image: the pictures.
          dropout: [B, 2E] uniform in [0, 1), for backbones that drop units; a unit is
            dropped where it is below the rate. None keeps all.
          training: whether batch norm goes by the batch and moves its statistics.
        """
        return self.trunk(image, dropout, training)

    def call(
        self,
        image: tf.Tensor,
        dropout: tf.Tensor | None = None,
        training: bool = False,
    ) -> EncoderOutput:
        return self.read_heads(self.features(image, dropout, training))

    @contextlib.contextmanager
    def kept_statistics(self) -> Iterator[None]:
        """What passes in training move inside, batch norm's statistics, moves back."""
        moved = [v for v in self.non_trainable_variables if v.dtype.is_floating]
        before = [tf.identity(variable) for variable in moved]
        yield
        for variable, value in zip(moved, before, strict=True):
            variable.assign(value)

    def read_heads(self, hidden: tf.Tensor) -> EncoderOutput:
        """What the heads read from features [B, E]."""
        return EncoderOutput(
            mean=self._read(self.mean_layer, hidden),
            logvar=self._read(self.logvar_layer, hidden),
            labels={
                task.name: self._output(task, self._read(head, hidden))
                for task, head in zip(self.config.tasks, self.heads, strict=True)
            },
        )

    def _read(self, head: keras.layers.Dense, hidden: tf.Tensor) -> tf.Tensor:
        raw, scale = tf.cast(head(hidden), tf.float32), self.trunk.head_scale
        return raw if scale == 1.0 else raw * scale

    def _output(self, task: LabelTask, raw: tf.Tensor) -> tf.Tensor:
        if task.is_categorical or self.config.recipe.continuous_output == "linear":
            return raw
        middle, half = (task.high + task.low) / 2, (task.high - task.low) / 2
        return middle + half * tf.tanh(raw)


def sample_y0(output: EncoderOutput, noise: tf.Tensor) -> tf.Tensor:
    """y0 = mean + exp(logvar / 2) noise, [B, Z] (the 2021 code; no KL term)."""
    return output.mean + tf.exp(0.5 * output.logvar) * noise

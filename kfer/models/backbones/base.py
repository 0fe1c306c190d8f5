"""What every backbone is to the encoder."""

from typing import Any

import tensorflow as tf

from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig


class Backbone:
    """A trunk [B, S, S, 3] in [-1, 1] -> features [B, F]; heads belong to the encoder.

    It is no layer itself: the encoder holds its layers under the names of `parts`,
    so that checkpoints of the first version, which knew one trunk, still load.

    Attributes:
      size: F.
      head_bias: whether the heads have biases.
      head_scale: factor of what the heads give.
      start_images: how many training pictures `start` wants to see; 0 for none.
      starts_augmented: whether they come as they are trained on, or as they are.

    Args:
      config: see ExperimentConfig.
    """

    size: int
    head_bias = True
    head_scale = 1.0
    start_images = 0
    starts_augmented = False

    def __init__(self, config: ExperimentConfig):
        self.config = config

    def parts(self) -> dict[str, Any]:
        """The encoder's attribute -> a layer, or lists of layers."""
        raise NotImplementedError

    def __call__(
        self, image: tf.Tensor, dropout: tf.Tensor | None, training: bool
    ) -> tf.Tensor:
        """The features.

        Args:
          image: [B, S, S, 3] in [-1, 1], float32; its layers cast it.
          dropout: [B, 2E] uniform in [0, 1), where the backbone drops units; None
            drops none.
          training: whether batch norm goes by the batch and moves its statistics.
        """
        raise NotImplementedError

    def start(self, images: tf.Tensor) -> None:
        """Sets what depends on the data, once, before the first step.

        Args:
          images: [N, S, S, 3] float32 in [-1, 1], the first `start_images` there are.
        """

    def load(self, source: str) -> None:
        """Fills the layers from a file of weights, or from 'imagenet'.

        Raises:
          UserError: the backbone has no such weights, or the file is another's.
        """
        raise UserError(
            f"Backbone {self.config.backbone!r} starts from no file of weights "
            f"({source}); leave --encoder_weights out"
        )

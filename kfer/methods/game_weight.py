"""How much the adversarial terms weigh beside the label losses."""

from typing import Any

import tensorflow as tf
from tensorflow import keras

from kfer.losses import reduction
from kfer.settings.config import ExperimentConfig

_DECAY = 0.98
# The largest weight is that many lambda_gan, however small the game's gradient gets.
_MOST = 25.0


class GameWeight(keras.layers.Layer):
    """lambda of the generator loss: fixed, or such that gradients keep a ratio.

    With lambda_ratio r it is r |dL/dz| / |dG/dz|, where z are the encoder's outputs
    (the label heads' and y0's mean and log variance), L the label losses and G the
    game's; both norms are over the global batch and running means. The form is that of
    VQGAN (Esser et al., CVPR 2021, Eq. 7) at the place where labels are decided. It is
    at most 25 lambda_gan, so lambda_gan = 0 takes the game out as it always did.
    lambda_ramp_steps lets it rise from 0.

    Args:
      config: gives lambda_gan and the recipe's lambda_ratio and lambda_ramp_steps.
    """

    def __init__(self, config: ExperimentConfig):
        super().__init__(name="game_weight", dtype="float32")
        self.fixed, self.recipe = config.lambda_gan, config.recipe
        if self.recipe.lambda_ratio:
            self.label_norm = self._held("label_norm")
            self.gan_norm = self._held("gan_norm")

    def _held(self, name: str) -> tf.Variable:
        # All replicas compute the same number.
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        return self.add_weight(
            name, (), initializer="zeros", trainable=False, aggregation=first
        )

    def ratio(self, label: list[Any], gan: list[Any]) -> tf.Tensor:
        """lambda that goes with gradients at the encoder's outputs, before the ramp.

        Args:
          label: the label losses' gradients, [B, size] or None, this replica's.
          gan: the game's.
        """
        norms = [tf.sqrt(_squares(label)), tf.sqrt(_squares(gan))]
        for held, norm in zip((self.label_norm, self.gan_norm), norms, strict=True):
            held.assign(_DECAY * held + (1.0 - _DECAY) * norm)
        wanted = self.recipe.lambda_ratio * tf.math.divide_no_nan(
            tf.convert_to_tensor(self.label_norm), self.gan_norm
        )
        return tf.minimum(wanted, _MOST * self.fixed)

    def ramp(self, discriminator_steps: Any) -> Any:
        """The share of lambda after that many updates of D: 0 to 1."""
        if not (steps := self.recipe.lambda_ramp_steps):
            return 1.0
        done = tf.cast(discriminator_steps, tf.float32)
        return tf.minimum(1.0, done / (steps * self.recipe.discriminator_steps))


def _squares(gradients: list[Any]) -> tf.Tensor:
    found = [tf.reduce_sum(tf.square(part)) for part in gradients if part is not None]
    return reduction.global_sum(tf.add_n(found) if found else tf.constant(0.0))

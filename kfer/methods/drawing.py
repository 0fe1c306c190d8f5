"""A method with a decoder, which the encoder's optimizer moves or one of its own."""

from typing import Any

import tensorflow as tf

from kfer.methods import backprop
from kfer.methods.base import Method


class Drawing(Method):
    """What methods of the game have of their optimizers.

    Attributes:
      decoder: G_X, or None. compile's decoder_optimizer, if there is one, updates it;
        else the generator optimizer does.
    """

    decoder: Any

    def build_all(self) -> None:
        super().build_all()
        if self._parted:
            self.decoder_optimizer.build(self.decoder_variables)

    @property
    def label_variables(self) -> list[tf.Variable]:
        """What the label losses move: the encoder's, and annotators' if any."""
        return super().generator_variables

    @property
    def generator_variables(self) -> list[tf.Variable]:
        return self.label_variables + ([] if self._parted else self._drawing)

    @property
    def decoder_variables(self) -> list[tf.Variable]:
        return self._drawing if self._parted else []

    @property
    def _drawing(self) -> list[tf.Variable]:
        return self.decoder.trainable_variables if self.decoder else []

    @property
    def _parted(self) -> bool:
        return getattr(self, "decoder_optimizer", None) is not None

    @property
    def playing_variables(self) -> list[tf.Variable]:
        """What the generator's loss of the game moves."""
        return self.label_variables + self._drawing

    def descend(self, tape: tf.GradientTape, loss: tf.Tensor, variables: list) -> None:
        """One step down the loss, each variable's by its optimizer.

        Those without a part in the loss stay; see kfer.methods.backprop.descend.
        """
        by = self.generator_optimizer
        found = backprop.gradients(tape, loss, variables, by)
        pairs = list(zip(found, variables, strict=True))
        own = {v.ref() for v in self.decoder_variables}
        # The decoder first: the average of all weights moves with the other step.
        drawing = [pair for pair in pairs if pair[1].ref() in own]
        backprop.update(drawing, self.decoder_optimizer)
        backprop.update([pair for pair in pairs if pair[1].ref() not in own], by)

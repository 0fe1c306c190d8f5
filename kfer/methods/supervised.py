"""VGGNet on the labels as they are: the paper's baseline (Table 1)."""

import tensorflow as tf

from kfer import execution
from kfer.methods.base import Method
from kfer.structures import Batch


class Supervised(Method):
    """The encoder alone, trained on the sum of the tasks' losses."""

    @tf.autograph.experimental.do_not_convert
    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            output = self.encoder(batch.image, dropout=batch.noise.dropout)
            loss = self.label_loss(batch, output)
        variables = self.generator_variables
        # y0's heads have no part in this loss.
        optimizer = self.generator_optimizer
        gradients = execution.gradients(tape, loss, variables, optimizer)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        self.log("loss", loss)
        return self.results()

"""VGGNet on the labels as they are: the paper's baseline (Table 1)."""

import tensorflow as tf

from kfer.losses import reduction
from kfer.methods import backprop
from kfer.methods.base import Method
from kfer.structures import Batch
from kfer.tasks import LabelTask


class Supervised(Method):
    """The encoder alone, trained on the sum of the tasks' losses."""

    @tf.autograph.experimental.do_not_convert
    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = self.training_loss(batch)
        backprop.descend(tape, loss, self.generator_variables, self.generator_optimizer)
        self.log("loss", loss)
        return self.results()

    def training_loss(self, batch: Batch) -> tf.Tensor:
        """What the step minimises, this replica's share."""
        output = self.encoder(batch.image, dropout=batch.noise.dropout, training=True)
        return self.label_loss(batch, output)


class ClassLoss(Supervised):
    """The encoder alone, with another loss than cross entropy for classes.

    Subclasses implement class_losses. Continuous labels are learned as in vgg_all, and
    with several label sets their losses are added up, as the paper adapts them.
    """

    def class_losses(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """[B] classes, [B, K] logits -> [B] losses."""
        raise NotImplementedError

    def objective(
        self, task: LabelTask, batch: Batch, predicted: tf.Tensor, plain: tf.Tensor
    ) -> tf.Tensor:
        if not task.is_categorical:
            return plain
        losses = self.class_losses(batch.labels[task.name], predicted)
        return reduction.masked_mean(losses, batch.mask[task.name])

"""Robust regression of continuous labels (Huber 1964)."""

import tensorflow as tf

from kfer.losses import reduction, regression
from kfer.methods.supervised import Supervised
from kfer.structures import Batch
from kfer.tasks import LabelTask


class Huber(Supervised):
    """Huber's loss instead of 1 - CCC or MSE; classes are learned as in vgg_all.

    Errors count in halves of the label's range, so one delta serves any unit.
    """

    def objective(
        self, task: LabelTask, batch: Batch, predicted: tf.Tensor, plain: tf.Tensor
    ) -> tf.Tensor:
        if task.is_categorical:
            return plain
        half = (task.high - task.low) / 2.0
        losses = regression.huber(
            batch.labels[task.name] / half, predicted / half, self.config.options.delta
        )
        return reduction.masked_mean(losses, batch.mask[task.name])

"""Early-learning regularisation (Liu et al., NeurIPS 2020)."""

from typing import Any

import tensorflow as tf

from kfer.losses import categorical, reduction
from kfer.methods import by_example
from kfer.methods.supervised import Supervised
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch
from kfer.tasks import LabelTask


class EarlyLearning(Supervised):
    """CE + lambda log(1 - <p, t>), t the running mean of an example's predictions.

    The targets of every label set of classes are a variable [N, K] of 4 N K bytes (2 MB
    for CIFAR-10 and one set), one copy a replica, saved in every checkpoint; row n is
    the example with batch.index n. Adapted: each label set has its head and its table,
    their losses are added up, and continuous labels are learned as in vgg_all.

    Args:
      config: options.num_examples is N; training fills it in.
    """

    unmixed_because = by_example.UNMIXED

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.targets = {
            task.name: tf.Variable(
                tf.zeros([config.options.num_examples, task.size]),
                trainable=False,
                name=f"targets_{task.name}",
            )
            for task in self.class_tasks
        }

    def objective(
        self, task: LabelTask, batch: Batch, predicted: tf.Tensor, plain: tf.Tensor
    ) -> tf.Tensor:
        if not task.is_categorical:
            return plain
        probabilities = tf.nn.softmax(predicted)
        target = self.update_targets(task, batch.index, probabilities)
        penalties = categorical.early_learning(probabilities, target)
        penalty = reduction.masked_mean(penalties, batch.mask[task.name])
        return plain + self.config.options.elr_weight * penalty

    def update_targets(
        self, task: LabelTask, index: tf.Tensor, probabilities: tf.Tensor
    ) -> tf.Tensor:
        """t <- beta t + (1 - beta) p for a batch's examples, on every replica.

        Args:
          task: the label set.
          index: [B] int64, rows of the table.
          probabilities: [B, K] p.

        Returns:
          [B, K] the new t.

        Raises:
          UserError: the config doesn't say how many examples there are.
          InvalidArgumentError: an index is not below that number.
        """
        count = by_example.num_examples(self.config)
        tf.debugging.assert_less(index, tf.cast(count, index.dtype))
        held = tf.clip_by_value(tf.stop_gradient(probabilities), 1e-4, 1.0 - 1e-4)
        held /= tf.reduce_sum(held, axis=1, keepdims=True)
        momentum = self.config.options.elr_momentum
        return by_example.move_means(self.targets[task.name], index, held, momentum)

"""The adversarial game over EM's targets, with labels through annotators' noise."""

from typing import Any

import tensorflow as tf

from kfer.errors import UserError
from kfer.methods.em import ExpectationMaximisation
from kfer.methods.joint_distribution import JointDistribution
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput


class JointEM(JointDistribution, ExpectationMaximisation):
    """The label losses of `em` and the game of `joint`.

    One head predicts each truth. What D sees of it for a label set went through that
    set's annotator where the recipe says so (labels_through_annotators): the labels
    given are noisy, so only noisy predictions can have their distribution.

    Args:
      config: see ExperimentConfig.
      **kwargs: of JointDistribution.

    Raises:
      UserError: the labels should pass an annotator's matrix, and a label set is of
        several.
    """

    has_matrices = True

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        if not config.recipe.labels_through_annotators:
            return
        for truth in self.truths.values():
            for task, count in zip(truth.tasks, truth.counts_of, strict=True):
                if count > 1 and task.stream:
                    raise UserError(
                        f"Labels of {task.name!r} are of {count} annotators, so they "
                        "can't pass one matrix; set labels_through_annotators to false"
                    )

    def label_matrices(self) -> dict[str, tf.Tensor]:
        found = {}
        for truth in self.truths.values():
            first = 0
            for task, count in zip(truth.tasks, truth.counts_of, strict=True):
                found[task.name] = tf.exp(truth.log_matrices[first])
                first += count
        return found

    def label_loss(self, batch: Batch, output: EncoderOutput) -> tf.Tensor:
        """EM's, after which its annotators and running means take the batch in."""
        loss = super().label_loss(batch, output)
        self.take_in(batch, output)
        return loss

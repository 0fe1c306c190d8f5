"""Co-teaching (Han et al., NeurIPS 2018): two networks choose for each other."""

from typing import Any

import tensorflow as tf

from kfer.losses import categorical, reduction, selection
from kfer.methods import by_example
from kfer.methods.supervised import Supervised
from kfer.models.encoder import Encoder
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import LabelTask


class CoTeaching(Supervised):
    """Each network learns the examples whose loss is small in the other network.

    Of a global batch the share R(T) = 1 - tau min(T / T_k, 1) is learned in epoch T,
    counted from 0. Adapted to several label sets by combining their losses, as the
    paper says: an example's loss is the weighted mean of the cross entropies of the
    class labels it has, and it is learned with all of them or not at all. Continuous
    labels have no such loss; both networks learn all of them. Network 1, `encoder`,
    answers, is exported and has its losses and accuracies logged; `peer` is in
    checkpoints only.

    Args:
      config: options.num_examples tells what an epoch is; training fills it in.
    """

    counts_epochs = True

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.peer = self.new_encoder(name="peer")

    def metric_names(self) -> list[str]:
        return [*super().metric_names(), "peer_loss", "chosen"]

    def build_networks(self) -> None:
        size = self.config.image_size
        self.peer(tf.zeros([1, size, size, 3]))

    @property
    def encoders(self) -> list[Encoder]:
        return [self.encoder, self.peer]

    @property
    def generator_variables(self) -> list[tf.Variable]:
        return self.encoder.trainable_variables + self.peer.trainable_variables

    def training_loss(self, batch: Batch) -> tf.Tensor:
        draws = batch.noise.dropout
        first = self.encoder(batch.image, dropout=draws, training=True)
        # The same numbers for other units: the networks must not err alike.
        second = self.peer(
            batch.image, dropout=tf.reverse(draws, axis=[1]), training=True
        )
        self.label_loss(batch, first)  # logs what network 1 makes of all labels
        softened = self.softened(batch)
        loss = self.taught_loss(softened, first, self.chosen(batch, second))
        mine = self.chosen(batch, first)
        peer_loss = self.taught_loss(softened, second, mine)
        self.log("peer_loss", peer_loss)
        has_label = self._has_label(batch)
        chosen = reduction.masked_mean(mine, has_label)
        self.log("chosen", chosen, reduction.count(has_label))
        return loss + peer_loss

    def chosen(self, batch: Batch, output: EncoderOutput) -> tf.Tensor:
        """[B] of 0 and 1: the examples that this network's output finds easy."""
        total, weight = tf.constant(0.0), tf.constant(0.0)
        for task in self.class_tasks:
            labels, mask = batch.labels[task.name], batch.mask[task.name]
            losses = categorical.cross_entropy(labels, output.labels[task.name])
            total += task.weight * mask * losses
            weight += task.weight * mask
        losses = tf.math.divide_no_nan(total, weight)
        return selection.small_loss(losses, self._has_label(batch), self.share())

    def share(self) -> tf.Tensor:
        """R(T) at the optimizer's step."""
        options = self.config.options
        steps = by_example.steps_per_epoch(self.config)
        epoch = tf.cast(self.generator_optimizer.iterations // steps, tf.float32)
        return selection.remember_share(epoch, options.forget_rate, options.ramp_epochs)

    def taught_loss(
        self, batch: Batch, output: EncoderOutput, chosen: tf.Tensor
    ) -> tf.Tensor:
        """The tasks' losses over the chosen examples, this replica's share."""
        tasks = self.config.tasks
        return tf.add_n([self._taught(task, batch, output, chosen) for task in tasks])

    def _taught(
        self, task: LabelTask, batch: Batch, output: EncoderOutput, chosen: tf.Tensor
    ) -> tf.Tensor:
        mask = batch.mask[task.name]
        if task.is_categorical:
            mask = mask * chosen
        labels, predicted = batch.labels[task.name], output.labels[task.name]
        return self.weight_of(task) * self.task_loss(task, labels, predicted, mask)

    def _has_label(self, batch: Batch) -> tf.Tensor:
        """[B] 1 where an example has a class label."""
        masks = [batch.mask[task.name] for task in self.class_tasks]
        # Of mixed pictures a mask is a weight.
        return tf.cast(tf.reduce_max(tf.stack(masks), axis=0) > 0.0, tf.float32)

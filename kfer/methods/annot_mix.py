"""annot-mix (Herde et al., ECAI 2024): mixup of pictures, annotators and labels."""

from typing import Any

import numpy as np
import tensorflow as tf
from scipy import special

from kfer.losses import categorical, reduction
from kfer.methods import label_samples
from kfer.methods.supervised import Supervised
from kfer.models.confusion import ConfusionNet
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import CATEGORICAL, LabelTask

# Of the table of Beta's quantiles, between which a draw is read off linearly.
_STEPS = 1024


class AnnotMix(Supervised):
    """One head p for each truth; CE of p T(x, a), T from a net on p's own features.

    A picture x is mixed with the one before it in the batch, s x + (1 - s) x', and each
    of its labels with a label of that picture, of whichever annotator, at the same
    share; so is who said them, one-hot. s is Beta(mix_alpha, mix_alpha). The net of T
    sends no gradient into the features. The head p answers.

    Adapted: the paper draws pairs among all (picture, annotator, label). Here all
    labels of a picture share s and one pass of the encoder, and label set k meets the
    partner's k + r with one r for the picture; where either side has no label, the
    other's counts at its share. T's net has neither batch norm nor dropout. Values are
    mixed with their own kind. Draws are functions of the examples' noise.

    Args:
      config: see ExperimentConfig.
    """

    shared_kind = CATEGORICAL
    unmixed_because = "mixes pictures in its own way"

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        options = config.options
        self.confusions = {
            target: ConfusionNet(
                tasks[0].size,
                options.confusion_units,
                self.encoder.trunk.size,
                len(tasks),
                options.diagonal,
                name=f"confusion_{target}",
            )
            for target, tasks in self.class_groups.items()
        }
        self.quantiles = quantiles(options.mix_alpha)

    def build_networks(self) -> None:
        size = self.config.image_size
        features = self.encoder.features(tf.zeros([1, size, size, 3]), None)
        for target, tasks in self.class_groups.items():
            net = self.confusions[target]
            net(tf.cast(features, tf.float32), tf.zeros([1, 1, len(tasks)]))

    @property
    def confusion_variables(self) -> list[tf.Variable]:
        nets = self.confusions.values()
        return [variable for net in nets for variable in net.trainable_variables]

    @property
    def generator_variables(self) -> list[tf.Variable]:
        return [*super().generator_variables, *self.confusion_variables]

    def predicted(self, task: LabelTask, output: EncoderOutput) -> tf.Tensor:
        # What its annotator says, where a step has put it.
        said = output.labels.get(task.name)
        return super().predicted(task, output) if said is None else said

    def training_loss(self, batch: Batch) -> tf.Tensor:
        mixed, who = self.mixed(batch)
        dropout = batch.noise.dropout
        features = self.encoder.features(mixed.image, dropout, training=True)
        output = self.encoder.read_heads(features)
        fixed = tf.stop_gradient(tf.cast(features, tf.float32))
        said = dict(output.labels)
        for target, tasks in self.class_groups.items():
            log_matrices = self.confusions[target](fixed, who[target])
            truth = tf.nn.log_softmax(output.labels[target])
            joint = truth[:, tf.newaxis, :, tf.newaxis] + log_matrices
            by_task = tf.unstack(tf.reduce_logsumexp(joint, axis=2), len(tasks), axis=1)
            said |= {t.name: s for t, s in zip(tasks, by_task, strict=True)}
        return self.label_loss(mixed, output._replace(labels=said))

    def mixed(self, batch: Batch) -> tuple[Batch, dict[str, tf.Tensor]]:
        """Each picture and its labels mixed with the one before it in the global batch.

        Args:
          batch: see Batch.

        Returns:
          The batch, masks being weights in [0, 1] and classes probabilities; and target
          -> [B, A, A], the shares of its annotators in each of its label sets.
        """
        drawn = label_samples.uniforms(batch.noise, 2)
        share = interpolated(self.quantiles, drawn[:, 0])
        labels, mask, who = dict(batch.labels), dict(batch.mask), {}
        for tasks in self.class_groups.values():
            given = [categorical.soft(labels[t.name], t.size) for t in tasks]
            label, weight, shares = _mixed_classes(
                tf.stack(given, axis=1),
                tf.stack([mask[t.name] for t in tasks], axis=1),
                share,
                drawn[:, 1],
            )
            who[tasks[0].target] = shares
            for place, task in enumerate(tasks):
                labels[task.name], mask[task.name] = label[:, place], weight[:, place]
        for task in self.value_tasks:
            labels[task.name], mask[task.name] = _mixed_values(
                labels[task.name], mask[task.name], share
            )
        s = share[:, tf.newaxis, tf.newaxis, tf.newaxis]
        image = s * batch.image + (1.0 - s) * reduction.rolled(batch.image)
        mixed = batch._replace(image=image, labels=labels, mask=mask, crowd={})
        return mixed, who


def _mixed_classes(
    labels: tf.Tensor, mask: tf.Tensor, share: tf.Tensor, turn: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Labels [B, A, K] and their mask [B, A] mixed with the partner's.

    Args:
      labels, mask: of A label sets.
      share: [B] s.
      turn: [B] in [0, 1), whose label sets meet: set k the partner's k + floor(A turn).

    Returns:
      labels [B, A, K], weights [B, A] and the annotators' shares [B, A, A].
    """
    count = labels.shape[1]
    turned = tf.range(count) + tf.cast(turn * count, tf.int32)[:, tf.newaxis]
    place = tf.math.floormod(turned, count)
    own = share[:, tf.newaxis] * mask
    given = tf.gather(reduction.rolled(mask), place, batch_dims=1)
    other = (1.0 - share[:, tf.newaxis]) * given
    weight = own + other

    def mean(mine: tf.Tensor, theirs: tf.Tensor) -> tf.Tensor:
        total = own[:, :, tf.newaxis] * mine + other[:, :, tf.newaxis] * theirs
        return tf.math.divide_no_nan(total, weight[:, :, tf.newaxis])

    partner = tf.gather(reduction.rolled(labels), place, batch_dims=1)
    shares = mean(tf.eye(count)[tf.newaxis], tf.one_hot(place, count))
    return mean(labels, partner), weight, shares


def _mixed_values(
    values: tf.Tensor, mask: tf.Tensor, share: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Values [B, D] and mask [B] mixed with the partner's of the same label set."""
    own, other = share * mask, (1.0 - share) * reduction.rolled(mask)
    theirs = reduction.rolled(values)
    total = own[:, tf.newaxis] * values + other[:, tf.newaxis] * theirs
    weight = own + other
    return tf.math.divide_no_nan(total, weight[:, tf.newaxis]), weight


def quantiles(alpha: float) -> np.ndarray:
    """float32 [1025] quantiles of Beta(alpha, alpha) at 0, 1/1024, .. 1; alpha 0 is
    share 1, nothing mixed."""
    steps = np.linspace(0.0, 1.0, _STEPS + 1)
    found = special.betaincinv(alpha, alpha, steps) if alpha else np.ones_like(steps)
    return found.astype(np.float32)


def interpolated(table: np.ndarray, uniform: tf.Tensor) -> tf.Tensor:
    """A draw [B] of the distribution whose quantiles the table holds.

    Args:
      table: of `quantiles`.
      uniform: [B] in [0, 1).
    """
    place = uniform * _STEPS
    low = tf.minimum(tf.cast(place, tf.int32), _STEPS - 1)
    before, after = tf.gather(table, low), tf.gather(table, low + 1)
    return before + (place - tf.cast(low, tf.float32)) * (after - before)

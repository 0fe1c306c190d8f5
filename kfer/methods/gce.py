"""Generalised cross entropy (Zhang and Sabuncu, NeurIPS 2018)."""

import tensorflow as tf

from kfer.losses import categorical
from kfer.methods.supervised import ClassLoss


class GeneralisedCrossEntropy(ClassLoss):
    """(1 - p^q) / q on every label set of classes; without the paper's truncation."""

    def class_losses(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return categorical.generalised_cross_entropy(
            labels, logits, self.config.options.q
        )

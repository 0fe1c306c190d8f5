"""Symmetric cross entropy (Wang et al., ICCV 2019)."""

import tensorflow as tf

from kfer.losses import categorical
from kfer.methods.supervised import ClassLoss


class SymmetricCrossEntropy(ClassLoss):
    """alpha CE + beta RCE on every label set of classes; see kfer.settings.options."""

    def class_losses(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        options = self.config.options
        return categorical.symmetric_cross_entropy(
            labels, logits, options.alpha, options.beta, options.A
        )

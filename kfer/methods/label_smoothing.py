"""Label smoothing (Szegedy et al., CVPR 2016), which helps against label noise too."""

import tensorflow as tf

from kfer.losses import categorical
from kfer.methods.supervised import ClassLoss


class LabelSmoothing(ClassLoss):
    """Cross entropy with smoothed labels on every label set of classes."""

    def class_losses(self, labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        return categorical.smoothed_cross_entropy(
            labels, logits, self.config.options.smoothing
        )

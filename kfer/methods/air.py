"""Auxiliary image regularisation (Azadi et al., ICLR 2016)."""

import tensorflow as tf

from kfer.losses import annotators, reduction
from kfer.methods.supervised import Supervised
from kfer.structures import Batch


class AuxiliaryImages(Supervised):
    """Loss + a sum over images a and classes c of ||diag(z_a) w_c||, + l1 and l2 norms.

    z_a are an auxiliary image's features, scaled to length 1, and w_c the weights of a
    class in the last layer. A group is all weights of a class through one image's
    features, so few images come to bear on a class: those with wrong labels, whose
    features lie among another class's, cost more than they fit. As in the authors' code
    the objective has sparse (l1) and ridge (l2) terms too, and the group term is a mean
    over images.

    Adapted: the authors fit the last layer alone, by stochastic ADMM, on features of a
    network trained elsewhere, with a fixed set of auxiliary training images. Here the
    encoder is trained along with it by Adam on subgradients, the auxiliary images are
    those of the batch, and the penalty moves the class heads only, not the features.
    Weights therefore come near zero, not to zero. Several label sets: losses and
    penalties of their heads are added up.
    """

    def training_loss(self, batch: Batch) -> tf.Tensor:
        hidden = self.encoder.features(batch.image, batch.noise.dropout, training=True)
        loss = self.label_loss(batch, self.encoder.read_heads(hidden))
        return loss + self.penalty(hidden)

    def penalty(self, hidden: tf.Tensor) -> tf.Tensor:
        """The regulariser of all class heads, this replica's share.

        Args:
          hidden: [B, E] features of the auxiliary images.
        """
        options = self.config.options
        features = tf.math.l2_normalize(tf.stop_gradient(hidden), axis=1)
        total = tf.constant(0.0)
        for task, head in zip(self.head_tasks, self.encoder.heads, strict=True):
            if task.is_categorical:
                groups = annotators.group_norms(features, head.kernel)
                mean = reduction.masked_mean(groups, tf.ones_like(groups))
                lasso = tf.reduce_sum(tf.abs(head.kernel))
                ridge = 0.5 * tf.reduce_sum(tf.square(head.kernel)) / task.size
                own = options.lasso_weight * lasso + options.ridge_weight * ridge
                total += options.group_weight * mean + own / reduction.replicas()
        return total

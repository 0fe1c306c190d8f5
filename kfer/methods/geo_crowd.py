"""GeoCrowdNet (Ibrahim, Nguyen and Fu, ICLR 2023): LTNet with a volume term."""

import tensorflow as tf

from kfer.losses import annotators, reduction
from kfer.methods import annotated
from kfer.methods.ltnet import LatentTruth
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import LabelTask


class GeoCrowdNet(LatentTruth):
    """LTNet's loss minus geo_weight log det G of each target, which tells p from T_k.

    Variant F takes G = P'P / n of the n predictions p whose pictures have a label, W
    takes G = sum_k T_k T_k', which is the paper's W'W: its A_k are our T_k transposed.
    Adapted: G of F is a mean, which shifts the term by a constant; see
    annotators.log_volume for the ridge, and LatentTruth for the matrices.

    Args:
      config: see ExperimentConfig.
    """

    def penalty(self, batch: Batch, output: EncoderOutput) -> tf.Tensor:
        volumes = []
        for target, tasks in self.class_groups.items():
            if self.config.options.geo_variant == "W":
                gram = self._of_matrices(tasks)
            else:
                gram = _of_predictions(batch, tasks, output.labels[target])
            volumes.append(annotators.log_volume(gram))
        return -self.config.options.geo_weight * tf.add_n(volumes)

    def _of_matrices(self, tasks: tuple[LabelTask, ...]) -> tf.Tensor:
        found = self.label_matrices()
        matrices = [found[task.name] for task in tasks]
        return tf.add_n([tf.matmul(t, t, transpose_b=True) for t in matrices])


def _of_predictions(
    batch: Batch, tasks: tuple[LabelTask, ...], logits: tf.Tensor
) -> tf.Tensor:
    """The mean of p p' over the global batch's pictures with a label, [K, K]."""
    known = tf.cast(annotated.has_label(batch, tasks) > 0.0, tf.float32)
    p = tf.nn.softmax(logits)
    total = reduction.global_sum(
        tf.matmul(p * known[:, tf.newaxis], p, transpose_a=True)
    )
    return tf.math.divide_no_nan(total, reduction.global_sum(tf.reduce_sum(known)))

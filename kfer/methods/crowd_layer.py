"""CrowdLayer (Rodrigues and Pereira, AAAI 2018): a matrix layer for each annotator."""

from typing import Any

import numpy as np
import tensorflow as tf

from kfer.methods.supervised import Supervised
from kfer.settings.config import ExperimentConfig
from kfer.structures import EncoderOutput
from kfer.tasks import CATEGORICAL, LabelTask


class CrowdLayer(Supervised):
    """One head for each true class label, and label set k sees softmax(p W_k).

    p are the head's probabilities and W_k, from the identity, is free: unlike T its
    rows are not probabilities. The paper's 'MW' layer; the head p answers. Adapted: W_k
    is learned at a multiple of the networks' rate; continuous labels as in vgg_all.

    Args:
      config: see ExperimentConfig.
    """

    shared_kind = CATEGORICAL

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.annotator_weights = {
            task.name: tf.Variable(
                np.eye(task.size, dtype=np.float32) / config.options.speed,
                name=f"annotator_weights_{task.name}",
            )
            for task in self.class_tasks
        }

    @property
    def generator_variables(self) -> list[tf.Variable]:
        return [*super().generator_variables, *self.annotator_weights.values()]

    def matrix(self, task: LabelTask) -> tf.Tensor:
        """[K, K] W[true, given] of a label set."""
        return self.config.options.speed * self.annotator_weights[task.name]

    def transitions(self) -> dict[str, np.ndarray]:
        """Label set -> [K, K] T[true, given] that W implies where the head is sure."""
        return {t.name: tf.nn.softmax(self.matrix(t)).numpy() for t in self.class_tasks}

    def predicted(self, task: LabelTask, output: EncoderOutput) -> tf.Tensor:
        truth = super().predicted(task, output)
        if not task.is_categorical:
            return truth
        return tf.matmul(tf.nn.softmax(truth), self.matrix(task))

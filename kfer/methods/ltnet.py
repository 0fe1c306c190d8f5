"""LTNet (Zeng et al., ECCV 2018): a latent truth seen through each annotator's T."""

from typing import Any

import numpy as np
import tensorflow as tf

from kfer.losses import annotators, reduction
from kfer.methods import doubts
from kfer.methods.supervised import Supervised
from kfer.noise import transition
from kfer.settings.annotator_options import LatentTruthOptions
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import CATEGORICAL, LabelTask


class LatentTruth(Supervised):
    """One head for each true class label, one learned T for each label set, Eq. 1-2.

    The loss of label set k is -log sum_i T_k[i, label] p(i | x); the head p answers.
    With options.trace_weight the traces of all T are added (Tanno et al., CVPR 2019).
    Adapted: T is a softmax over its rows, so that it stays a transition matrix, starts
    near the identity, and is learned at a multiple of the networks' rate.

    Args:
      config: see ExperimentConfig.
    """

    shared_kind = CATEGORICAL
    has_matrices = True

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        options = config.options
        self.transition_logits = {
            task.name: tf.Variable(
                _start(task, options), name=f"transition_{task.name}"
            )
            for task in self.class_tasks
        }

    @property
    def generator_variables(self) -> list[tf.Variable]:
        return [*super().generator_variables, *self.transition_logits.values()]

    def log_transition(self, task: LabelTask) -> tf.Tensor:
        """[K, K] log T[true, given] of a label set, as learned so far."""
        logits = self.config.options.speed * self.transition_logits[task.name]
        return tf.nn.log_softmax(logits)

    def label_matrices(self) -> dict[str, tf.Tensor]:
        return {t.name: tf.exp(self.log_transition(t)) for t in self.class_tasks}

    def transitions(self) -> dict[str, np.ndarray]:
        """Label set -> [K, K] T[true, given]; rows sum to 1."""
        return {t.name: np.exp(self.log_transition(t)) for t in self.class_tasks}

    def doubts(self) -> dict[str, str]:
        found, matrices = {}, self.transitions()
        for task in self.class_tasks:
            own = matrices[task.name][None]
            found |= doubts.of_matrices(task.name, task.classes, own, single=True)
        return found

    def predicted(self, task: LabelTask, output: EncoderOutput) -> tf.Tensor:
        truth = super().predicted(task, output)
        if not task.is_categorical:
            return truth
        return annotators.noisy_log_probabilities(truth, self.log_transition(task))

    def label_loss(self, batch: Batch, output: EncoderOutput) -> tf.Tensor:
        loss = super().label_loss(batch, output)
        return loss + self.penalty(batch, output) / reduction.replicas()

    def penalty(self, batch: Batch, output: EncoderOutput) -> tf.Tensor | float:
        """What is added to the label losses, of the global batch."""
        weight = self.config.options.trace_weight
        if not weight:
            return 0.0
        return weight * annotators.trace([*self.label_matrices().values()])


def _start(task: LabelTask, options: LatentTruthOptions) -> np.ndarray:
    """float32 [K, K], the variable behind the T that all annotators start with."""
    matrix = transition.symmetric(task.size, 1.0 - options.diagonal)
    return (np.log(matrix) / options.speed).astype(np.float32)

"""Annotators with a bias, a scale and a noise level of their continuous values.

In the spirit of Raykar et al. (JMLR 2010), whose regressors have a noise level alone.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from kfer.losses import reduction, regression
from kfer.methods.supervised import Supervised
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, EncoderOutput
from kfer.tasks import CONTINUOUS, LabelTask

# Smallest sigma in halves of the range: memorised labels must not make it vanish.
_SMALLEST = 1e-2


class Annotator(NamedTuple):
    """How a label set's values follow from the truth v, by dimension."""

    bias: Any  # [D] in the label's unit
    scale: Any  # [D], above 0, about the middle of the range
    sigma: Any  # [D] in the label's unit, above 0


class ValueAnnotators(Supervised):
    """value_k = middle + scale_k (v - middle) + bias_k + N(0, sigma_k^2).

    One head v for each true value, which answers; the loss of a label set is its
    Gaussian negative log-likelihood, so noisy annotators count less. What all label
    sets of a target share can't be told from the truth: their biases' mean is 0 and
    their scales' geometric mean 1. A single label set therefore has neither. Classes
    are learned as in vgg_all.

    Args:
      config: see ExperimentConfig.
    """

    shared_kind = CONTINUOUS

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        # Rows: bias in halves of the range, log scale, log sigma in such halves.
        self.annotator_parameters = {
            task.name: tf.Variable(tf.zeros([3, task.size]), name=f"values_{task.name}")
            for task in self.value_tasks
        }

    @property
    def generator_variables(self) -> list[tf.Variable]:
        return [*super().generator_variables, *self.annotator_parameters.values()]

    def annotator(self, task: LabelTask) -> Annotator:
        """A label set's parameters as tensors."""
        half, speed = (task.high - task.low) / 2.0, self.config.options.speed
        sets = [t.name for t in self.value_tasks if t.target == task.target]
        all_ = tf.stack([speed * self.annotator_parameters[name] for name in sets])
        bias, log_scale, log_sigma = tf.unstack(all_[sets.index(task.name)])
        shared_bias, shared_log_scale, _ = tf.unstack(tf.reduce_mean(all_, axis=0))
        return Annotator(
            half * (bias - shared_bias),
            tf.exp(log_scale - shared_log_scale),
            half * tf.exp(tf.maximum(log_sigma, math.log(_SMALLEST))),
        )

    def annotators(self) -> dict[str, Annotator]:
        """Label set -> its Annotator, as arrays."""
        return {
            task.name: Annotator(*(np.asarray(part) for part in self.annotator(task)))
            for task in self.value_tasks
        }

    def predicted(self, task: LabelTask, output: EncoderOutput) -> tf.Tensor:
        truth = super().predicted(task, output)
        if task.is_categorical:
            return truth
        annotator, middle = self.annotator(task), (task.low + task.high) / 2.0
        return middle + annotator.scale * (truth - middle) + annotator.bias

    def objective(
        self, task: LabelTask, batch: Batch, predicted: tf.Tensor, plain: tf.Tensor
    ) -> tf.Tensor:
        if task.is_categorical:
            return plain
        log_sigma = tf.math.log(self.annotator(task).sigma)
        losses = regression.gaussian(batch.labels[task.name], predicted, log_sigma)
        return reduction.masked_mean(losses, batch.mask[task.name])

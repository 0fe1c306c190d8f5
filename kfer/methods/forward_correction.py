"""Forward loss correction (Patrini et al., CVPR 2017): known T, one shared head."""

from typing import Any

import numpy as np
import tensorflow as tf

from kfer.errors import UserError
from kfer.losses import annotators
from kfer.methods.supervised import Supervised
from kfer.noise import flips, transition
from kfer.settings.config import ExperimentConfig
from kfer.structures import EncoderOutput
from kfer.tasks import CATEGORICAL, LabelTask

# Of an entry of T, so that a label that T rules out has a finite loss.
_SMALLEST = 1e-6


class ForwardCorrection(Supervised):
    """-log sum_i T_k[i, label] p(i | x) with fixed T_k; the head p answers.

    T is given (options.transition) or symmetric at given rates (options.noise_rates).
    Without either, training fills in the confusion that the data set recorded, or the
    recorded rates; where nothing is recorded, T has the rates with which the config's
    label sets are simulated (flip_rates). The paper's estimate of T from anchor points
    is not made: give its result as transition.

    Args:
      config: see ExperimentConfig.

    Raises:
      UserError: there is no T for a label set, or it is no transition matrix.
    """

    shared_kind = CATEGORICAL
    has_matrices = True

    def __init__(self, config: ExperimentConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        self.log_matrices = {
            name: np.log(np.maximum(matrix, _SMALLEST)).astype(np.float32)
            for name, matrix in matrices_of(config).items()
        }

    def label_matrices(self) -> dict[str, tf.Tensor]:
        return {name: tf.exp(m) for name, m in self.log_matrices.items()}

    def transitions(self) -> dict[str, np.ndarray]:
        """Label set -> [K, K] T[true, given]."""
        return matrices_of(self.config)

    def predicted(self, task: LabelTask, output: EncoderOutput) -> tf.Tensor:
        truth = super().predicted(task, output)
        if not task.is_categorical:
            return truth
        return annotators.noisy_log_probabilities(truth, self.log_matrices[task.name])


def matrices_of(config: ExperimentConfig) -> dict[str, np.ndarray]:
    """Class label set -> float64 [K, K] T[true, given], as the config tells it.

    Raises:
      UserError: there is none for a label set, or it is no transition matrix.
    """
    tasks = [task for task in config.tasks if task.is_categorical]
    options = config.options
    given = options.transition or options.noise_rates
    if not given:
        return {task.name: _simulated(config, task) for task in tasks}
    if len(given) != len(tasks):
        names = ", ".join(task.name for task in tasks)
        raise UserError(
            f"forward_correction got {len(given)} matrices or rates for {len(tasks)} "
            f"class label sets ({names})"
        )
    return {
        task.name: _checked(entry, task) if options.transition else _at(entry, task)
        for task, entry in zip(tasks, given, strict=True)
    }


def _simulated(config: ExperimentConfig, task: LabelTask) -> np.ndarray:
    """Of a label set that the data set's maker flipped at the config's rate."""
    names = [f"annotator_{i}" for i in range(1, len(config.flip_rates) + 1)]
    if task.column not in names:
        raise UserError(
            f"forward_correction knows no noise rate of {task.name!r}: set noise_rates "
            "or transition, one entry for each class label set"
        )
    rate = config.flip_rates[names.index(task.column)]
    if config.recipe.flip == "inclusive":
        rate *= (task.size - 1) / task.size
    return _at(rate, task)


def _at(rate: Any, task: LabelTask) -> np.ndarray:
    return transition.symmetric(task.size, flips.check_rate(rate))


def _checked(entry: Any, task: LabelTask) -> np.ndarray:
    try:
        matrix = np.array(entry, np.float64)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"The transition of {task.name!r} is no matrix: {error}"
        ) from error
    return transition.check(matrix, task.size)

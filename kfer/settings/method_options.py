"""Options of single methods: one frozen dataclass each, held in the config."""

import dataclasses
from typing import ClassVar

from kfer.errors import UserError


@dataclasses.dataclass(frozen=True)
class MethodOptions:
    """What a method without options has: nothing."""

    # Options that came after runs had been hashed without them.
    newer: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        """Raises UserError for a value out of its range."""

    def _within(self, low: float, high: float, *names: str) -> None:
        """Raises UserError if one of these options is outside [low, high]."""
        for name in names:
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"{name} must be in [{low:g}, {high:g}], got {value}")


NO_OPTIONS = MethodOptions()


@dataclasses.dataclass(frozen=True)
class SymmetricCrossEntropyOptions(MethodOptions):
    """Of `sce`; the paper's values for CIFAR-10.

    Attributes:
      alpha: weight of the cross entropy.
      beta: weight of the reverse cross entropy.
      A: what stands for log 0 in the reverse cross entropy, below 0.
    """

    alpha: float = 0.1
    beta: float = 1.0
    A: float = -4.0

    def __post_init__(self):
        self._within(0.0, 1e6, "alpha", "beta")
        self._within(-1e3, -1e-3, "A")


@dataclasses.dataclass(frozen=True)
class GeneralisedCrossEntropyOptions(MethodOptions):
    """Of `gce`.

    Attributes:
      q: towards 0 it is cross entropy, at 1 the mean absolute error.
    """

    q: float = 0.7

    def __post_init__(self):
        self._within(1e-3, 1.0, "q")


@dataclasses.dataclass(frozen=True)
class LabelSmoothingOptions(MethodOptions):
    """Of `label_smoothing`.

    Attributes:
      smoothing: share of the label's probability that all classes get alike.
    """

    smoothing: float = 0.1

    def __post_init__(self):
        self._within(0.0, 1.0, "smoothing")


@dataclasses.dataclass(frozen=True)
class ForwardCorrectionOptions(MethodOptions):
    """Of `forward_correction`: where its matrices T[true, given] come from.

    Attributes:
      transition: one [K, K] matrix for each class label set, in the tasks' order; ()
        builds symmetric ones from the rates.
      noise_rates: the share of wrong labels of each class label set; () takes the
        rates with which the config's label sets are simulated (flip_rates). Where
        neither is given, training fills in what the data set recorded.
    """

    transition: tuple = ()
    noise_rates: tuple = ()

    def __post_init__(self):
        for name in ("transition", "noise_rates"):
            if not isinstance(getattr(self, name), tuple):
                raise UserError(
                    f"{name} takes a list with one entry for each class label set, "
                    f"got {getattr(self, name)!r}"
                )
        if self.transition and self.noise_rates:
            raise UserError("Give transition or noise_rates, not both")


@dataclasses.dataclass(frozen=True)
class EarlyLearningOptions(MethodOptions):
    """Of `elr`; the paper's values for CIFAR-10.

    Attributes:
      elr_weight: lambda, of the regulariser.
      elr_momentum: beta, of the running targets.
      num_examples: rows of the table of targets; 0 is filled in by training with the
        size of the training split.
    """

    elr_weight: float = 3.0
    elr_momentum: float = 0.7
    num_examples: int = 0

    def __post_init__(self):
        self._within(0.0, 1e6, "elr_weight")
        self._within(0.0, 1.0, "elr_momentum")
        self._within(0, 2**40, "num_examples")


@dataclasses.dataclass(frozen=True)
class CoTeachingOptions(MethodOptions):
    """Of `co_teaching`.

    Attributes:
      forget_rate: tau, the share of a batch that is left out in the end; the paper
        takes the noise rate.
      ramp_epochs: T_k, epochs until that share is reached.
      num_examples: of the training split, which tells what an epoch is; 0 is filled in
        by training.
    """

    forget_rate: float = 0.2
    ramp_epochs: int = 10
    num_examples: int = 0

    def __post_init__(self):
        self._within(0.0, 0.999, "forget_rate")
        self._within(1, 10**6, "ramp_epochs")
        self._within(0, 2**40, "num_examples")


@dataclasses.dataclass(frozen=True)
class AuxiliaryImageOptions(MethodOptions):
    """Of `air`.

    Attributes:
      group_weight: of the group norms through auxiliary images' features.
      lasso_weight: of the sum of absolute weights.
      ridge_weight: of half the squared weights, a mean over classes.
    """

    group_weight: float = 0.01
    lasso_weight: float = 1e-5
    ridge_weight: float = 1e-3

    def __post_init__(self):
        self._within(0.0, 1e6, "group_weight", "lasso_weight", "ridge_weight")


@dataclasses.dataclass(frozen=True)
class HuberOptions(MethodOptions):
    """Of `huber`.

    Attributes:
      delta: error from which on the loss is linear, in halves of the label's range: the
        label's own unit for valence and arousal.
    """

    delta: float = 0.2

    def __post_init__(self):
        self._within(1e-6, 1e6, "delta")

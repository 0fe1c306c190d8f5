"""Options of methods that model annotators; see kfer.settings.method_options."""

import dataclasses
from typing import ClassVar

from kfer.errors import UserError
from kfer.settings.method_options import MethodOptions


@dataclasses.dataclass(frozen=True)
class AnnotatorOptions(MethodOptions):
    """Of `crowd_layer` and `va_annotators`.

    Attributes:
      speed: learning rate of the annotators' parameters over the networks'.
    """

    speed: float = 10.0

    def __post_init__(self):
        self._within(1e-3, 1e6, "speed")


@dataclasses.dataclass(frozen=True)
class LatentTruthOptions(MethodOptions):
    """Of `ltnet`.

    Attributes:
      speed: learning rate of the matrices' logits over the networks'.
      diagonal: probability of the true class that every annotator starts with.
      trace_weight: lambda of the trace regulariser (Tanno et al. use 0.01); 0 is LTNet.
    """

    speed: float = 10.0
    diagonal: float = 0.9
    trace_weight: float = 0.0

    def __post_init__(self):
        self._within(1e-3, 1e6, "speed")
        self._within(0.01, 0.9999, "diagonal")
        self._within(0.0, 1e6, "trace_weight")


@dataclasses.dataclass(frozen=True)
class GeoCrowdOptions(MethodOptions):
    """Of `geo_crowd`.

    Attributes:
      speed, diagonal: see LatentTruthOptions.
      geo_variant: whose volume grows: 'F', of the predictions of a batch, or 'W', of
        the annotators' matrices.
      geo_weight: lambda of the volume.
    """

    speed: float = 10.0
    diagonal: float = 0.9
    geo_variant: str = "F"
    geo_weight: float = 1e-3

    def __post_init__(self):
        self._within(1e-3, 1e6, "speed")
        self._within(0.01, 0.9999, "diagonal")
        self._within(0.0, 1e6, "geo_weight")
        if self.geo_variant not in ("F", "W"):
            raise UserError(f"geo_variant {self.geo_variant!r} is none of F, W")


@dataclasses.dataclass(frozen=True)
class AnnotMixOptions(MethodOptions):
    """Of `annot_mix`; the paper's values.

    Attributes:
      mix_alpha: of Beta(alpha, alpha), the shares by which pictures, annotators and
        labels are mixed; 0 mixes nothing.
      diagonal: probability of the true class that every annotator starts near.
      confusion_units: of the confusion network's hidden layer.
    """

    mix_alpha: float = 1.0
    diagonal: float = 0.9
    confusion_units: int = 128

    def __post_init__(self):
        self._within(0.0, 1e3, "mix_alpha")
        self._within(0.01, 0.9999, "diagonal")
        self._within(1, 2**16, "confusion_units")


@dataclasses.dataclass(frozen=True)
class DawidSkeneOptions(MethodOptions):
    """Of `dawid_skene`.

    Attributes:
      diagonal: how often an annotator is right, where no picture has two labels and
        that can't be learned before training.
      num_examples: of the training split; 0 is filled in by training.
      num_annotators: of each class label set, in the tasks' order; () is filled in by
        training. A column of one annotator counts 1, one of votes 0: its shares are
        learned as they are.
    """

    diagonal: float = 0.8
    num_examples: int = 0
    num_annotators: tuple = ()

    def __post_init__(self):
        self._within(0.01, 0.9999, "diagonal")
        self._within(0, 2**40, "num_examples")
        if not isinstance(self.num_annotators, tuple):
            raise UserError(
                "num_annotators takes a list with one entry for each class label set, "
                f"got {self.num_annotators!r}"
            )


@dataclasses.dataclass(frozen=True)
class EMOptions(DawidSkeneOptions):
    """Of `em`.

    Attributes:
      em_start_epoch: epochs before the network's answers count; until then the targets
        are `dawid_skene`'s.
      em_power: exponent of the network's probabilities among the annotators'.
      em_momentum: share that an example's earlier answers keep at a visit.
      em_values: of several annotators' values, 'gaussian' finds each one's bias, scale
        and spread; 'mean' learns them as vgg_all does.
      num_value_annotators: of each value label set, in the tasks' order, where any
        target has several; filled in by training. () is 'mean', as in older runs.
    """

    newer: ClassVar[tuple[str, ...]] = ("em_values", "num_value_annotators")

    em_start_epoch: int = 2
    em_power: float = 1.0
    em_momentum: float = 0.5
    em_values: str = "gaussian"
    num_value_annotators: tuple = ()

    def __post_init__(self):
        super().__post_init__()
        self._within(0, 10**6, "em_start_epoch")
        self._within(0.0, 1e3, "em_power")
        self._within(0.0, 0.9999, "em_momentum")
        if self.em_values not in ("gaussian", "mean"):
            raise UserError(f"em_values {self.em_values!r} is none of gaussian, mean")
        if not isinstance(self.num_value_annotators, tuple):
            raise UserError(
                "num_value_annotators takes a list with one entry for each value label "
                f"set, got {self.num_value_annotators!r}"
            )

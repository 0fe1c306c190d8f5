"""How the label losses are minimised: optimizer, schedule, averages, augmentation.

The defaults are what kfer did before there was a choice: Adam at one rate. `fast` is
the recipe of a record for CIFAR-10 (K. Jordan, "94 % on CIFAR-10 in 3.29 seconds on a
single GPU", arXiv 2404.00498), made for small networks with batch norm.
"""

import dataclasses
from typing import Any

from kfer.errors import UserError

CHOICES = {
    "optimizer": ("adam", "sgd"),
    "decay_form": ("l2", "decoupled"),
    "schedule": ("constant", "cosine", "one_cycle"),
    "averaging": ("none", "ema", "lookahead"),
    "mirror": ("random", "alternating"),
    "crop_fill": ("black", "reflect"),
    "test_averaging": ("none", "flip", "flip_shift"),
    "label_sets": ("sum", "mean"),
}

# Setting -> smallest and largest value.
_RANGES = {
    "momentum": (0.0, 0.9999),
    "weight_decay": (0.0, 1e3),
    "bias_rate": (0.0, 1e6),
    "whitening_rate": (0.0, 1e6),
    "discriminator_rate": (0.0, 1e3),
    "decoder_rate": (0.0, 1e3),
    "confusion_rate": (0.0, 1e6),
    "whitening_share": (0.0, 1.0),
    "warmup_share": (0.0, 1.0),
    "start_factor": (0.0, 1.0),
    "final_factor": (0.0, 1.0),
    "label_smoothing": (0.0, 1.0),
    "ema_decay": (0.0, 1.0),
    "lookahead_decay": (0.0, 1.0),
    "lookahead_every": (1, 10**6),
    "mixup": (0.0, 1e3),
    "cutout": (0, 256),
    "crop_pad": (0, 31),
    "total_steps": (0, 2**40),
}


@dataclasses.dataclass(frozen=True)
class Optimization:
    """How a run learns; docs/guide/training.md has the table.

    The learning rate, Adam's betas and epsilon, batch size and epochs are fields of
    ExperimentConfig. The discriminator has an Adam of its own at one rate.

    Attributes:
      optimizer: 'adam', or 'sgd' with Nesterov's momentum as PyTorch computes it.
      momentum: of 'sgd'.
      weight_decay: pulls the networks' weights towards 0; annotators' matrices are
        left out. A variable whose rate has a factor has it divided by that factor, so
        that rate times decay is the same for all.
      decay_form: 'l2' adds weight_decay w to the gradient; 'decoupled' takes rate x
        weight_decay w off w beside the step (Loshchilov and Hutter 2019).
      bias_rate: factor of the learning rate for biases and batch norm's offsets.
      whitening_rate: the same for the bias of a whitening layer.
      whitening_share: it learns over that share of the steps, then stays.
      discriminator_rate: learning rate of the discriminator; 0 is learning_rate.
      decoder_rate: learning rate of the decoder's own Adam, at one rate and without
        decay as the discriminator's; 0 updates the decoder as the encoder is.
      confusion_rate: factor of the learning rate for all weights of annot_mix's
        networks of matrices, in the place of bias_rate. At an encoder's rate those
        seem to explain the labels before the truth does.
      schedule: of the learning rate. 'cosine' and 'one_cycle' rise linearly from
        start_factor to 1 over the first warmup_share of the steps, then fall to
        final_factor, as half a cosine or linearly.
      warmup_share, start_factor, final_factor: of the schedule, not of 'constant'.
      label_smoothing: share of a class label's probability that all classes get alike,
        in every method's label losses.
      label_sets: whether the losses of one truth's label sets are added up, as in the
        paper, or averaged, so that a rate means the same for any number of them.
      averaging: the weights that answer: 'none' those of the last step; 'ema' their
        running mean; 'lookahead' slow weights that the fast ones are put back to.
      ema_decay: of 'ema', reached as min(ema_decay, (1 + t) / (10 + t)).
      lookahead_every: steps between two syncs of 'lookahead'.
      lookahead_decay: b of its decay b^every (t / T)^3.
      mixup: alpha of Beta(alpha, alpha), by which pairs of a batch's pictures and
        labels are mixed (Zhang et al. 2018); 0 mixes none.
      cutout: side in pixels, even, of a grey square laid over each picture at random
        (DeVries and Taylor 2017); 0 lays none.
      mirror: 'random' at each step; 'alternating' at random in the first epoch, then
        every picture the other way round from epoch to epoch.
      crop_pad: largest shift of augmentation 'crop_flip' in pixels.
      crop_fill: what it reads from outside a picture, 'black' or the picture reflected
        at its border.
      test_averaging: 'flip' answers with the mean of the heads' outputs for a picture
        and its mirror image; 'flip_shift' with 1/2 that + 1/2 the mean of the same for
        the picture shifted by a pixel along a diagonal, both ways.
      total_steps: T of schedule and lookahead; training fills it in.
    """

    optimizer: str = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    decay_form: str = "l2"
    bias_rate: float = 1.0
    whitening_rate: float = 1.0
    whitening_share: float = 1.0
    discriminator_rate: float = 0.0
    decoder_rate: float = 0.0
    confusion_rate: float = 1.0
    schedule: str = "constant"
    warmup_share: float = 0.23
    start_factor: float = 0.2
    final_factor: float = 0.07
    label_smoothing: float = 0.0
    label_sets: str = "sum"
    averaging: str = "none"
    ema_decay: float = 0.999
    lookahead_every: int = 5
    lookahead_decay: float = 0.95
    mixup: float = 0.0
    cutout: int = 0
    mirror: str = "random"
    crop_pad: int = 4
    crop_fill: str = "black"
    test_averaging: str = "none"
    total_steps: int = 0

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                known = ", ".join(allowed)
                raise UserError(f"Unknown {name} {value!r}; known: {known}")
        for name, (low, high) in _RANGES.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise UserError(f"{name} must be in [{low:g}, {high:g}], got {value}")
        if self.cutout % 2:
            raise UserError(f"cutout must be even, got {self.cutout}")

    @classmethod
    def without_later(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """Fields of dataclasses.asdict as before there was a confusion_rate, where
        none was chosen."""
        later = ("confusion_rate", cls.confusion_rate)
        return dict(field for field in fields.items() if field != later)

    @property
    def is_timed(self) -> bool:
        """Whether a step's update depends on how many steps there are in all."""
        return (
            self.schedule != "constant"
            or self.averaging == "lookahead"
            or self.whitening_share < 1.0
        )


PLAIN = Optimization()


@dataclasses.dataclass(frozen=True)
class Preset:
    """A bundle that --optimization=NAME chooses.

    Attributes:
      optimization: see Optimization.
      config: fields of ExperimentConfig that belong to it.
    """

    optimization: Optimization
    config: dict[str, Any]


PRESETS = {
    "plain": Preset(PLAIN, {}),
    "fast": Preset(
        Optimization(
            optimizer="sgd",
            momentum=0.85,
            weight_decay=1.33e-3,
            bias_rate=64.0,
            whitening_share=0.3,
            discriminator_rate=1e-4,
            decoder_rate=1e-4,
            confusion_rate=0.01,
            schedule="one_cycle",
            label_smoothing=0.2,
            label_sets="mean",
            averaging="lookahead",
            mirror="alternating",
            crop_pad=2,
            crop_fill="reflect",
            test_averaging="flip_shift",
        ),
        {"learning_rate": 1.5, "batch_size": 1024, "epochs": 10},
    ),
}

# What a user may set; total_steps follows from the run.
NAMES = tuple(
    field.name
    for field in dataclasses.fields(Optimization)
    if field.name != "total_steps"
)


def preset(name: str) -> Preset:
    """The preset of that name; raises UserError if there is none."""
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise UserError(f"Unknown optimization {name!r}; known: {known}")
    return PRESETS[name]

"""Recipes: how the paper, its 2021 code and kfer do what they disagree on."""

import dataclasses
from typing import Any

from kfer.errors import UserError

_CHOICES = {
    "update_order": ("generator_first", "discriminator_first"),
    "score_reduction": ("sum", "mean"),
    "discriminator_label_input": ("probabilities", "logits", "samples"),
    "joint_score": ("mlp", "projection"),
    "continuous_output": ("linear", "tanh"),
    "ccc_variance": ("biased", "unbiased"),
    "flip": ("exclusive", "inclusive"),
    "evaluated_heads": ("mean", "first"),
    "channel_order": ("rgb", "bgr"),
    "augment_interpolation": ("bilinear", "nearest"),
    "encoder_start": ("standardized", "he", "authors_2021"),
}


def _check_choices(settings: Any) -> None:
    for field, allowed in _CHOICES.items():
        if getattr(settings, field) not in allowed:
            raise UserError(
                f"{field} {getattr(settings, field)!r} is none of {', '.join(allowed)}"
            )


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Where paper, 2021 code and kfer part ways; docs/design/recipes.md has the table.

    Attributes:
      name: of the recipe the values started from.
      update_order: 'generator_first' updates encoder and decoder, then scores fresh
        outputs for the discriminator (Algorithm 1); 'discriminator_first' runs all
        discriminator steps on one forward pass, then the generator step on the same.
      discriminator_steps: discriminator updates in a training step.
      score_weight_inside_hinge: hinge(w s) instead of w hinge(s).
      score_reduction: 'sum' or 'mean' over the scores of a group.
      count_removed_scores: a mean divides by all streams, the ablated ones too.
      discriminator_label_input: what D sees of a predicted class label: 'samples' are
        one-hots drawn from its probabilities, which get the gradient straight through.
      continuous_output: 'linear' or 'tanh' scaled to the label's range.
      ccc_variance: 'unbiased' puts unbiased variances under a biased covariance, as the
        2021 code does, so that a perfect prediction scores (n - 1) / n.
      gan_start_epoch: adversarial terms start when epoch > this; -1 is from the start.
      flip: whether a label flipped at random may keep its class.
      evaluated_heads: which label sets' heads answer: the 'first' or the 'mean' of all
        heads that share a target.
      channel_order: of the images the networks see.
      augment_interpolation: of the augmentation's affine warp.
      shifted_mirror: the mirror leaves column 0 black, one pixel off.
      face_translation: largest augmentation shift, as a fraction of the image's side; 0
        means 10 pixels whatever the size.
      shuffle: whether training examples are shuffled.
      clip_continuous: clip continuous labels to their range when training.
      shared_sigma: both groups go through D with one spectral norm and one power
        iteration; else each group is a pass of its own, as in the 2021 code.
      encoder_start: 'he' draws hidden layers from N(0, 2 / fan in), which keeps the
        signal's size at any width; 'standardized' does too and then centres and scales
        the hidden dense units on the first pictures (kfer.models.start);
        'authors_2021' scales convolutions by their outputs and dense layers as PyTorch
        does, on which narrow nets do not start to learn.
      joint_score: how S_joint sees labels beside a picture: 'mlp', or 'projection', a
        product of labels and the encoder's features that learns from mismatched pairs
        too (kfer.models.fit); it is added to the perceptron's where there is G_X.
      labels_through_annotators: a predicted class label passes its annotator's matrix
        T before D sees it; of methods that hold such matrices.
      lambda_ratio: the game's gradient at the encoder's outputs over the labels'; 0
        weighs the game by lambda_gan alone (kfer.methods.game_weight).
      lambda_ramp_steps: steps over which the game's weight rises from 0.
      r1_weight: factor of D's squared gradient at real pictures
        (kfer.losses.adversarial.r1) in D's loss; 0 leaves it out.
    """

    name: str
    update_order: str
    discriminator_steps: int
    score_weight_inside_hinge: bool
    score_reduction: str
    count_removed_scores: bool
    discriminator_label_input: str
    continuous_output: str
    ccc_variance: str
    gan_start_epoch: int
    flip: str
    evaluated_heads: str
    channel_order: str
    augment_interpolation: str
    shifted_mirror: bool
    face_translation: float
    shuffle: bool
    clip_continuous: bool
    shared_sigma: bool
    encoder_start: str
    joint_score: str = "mlp"
    labels_through_annotators: bool = False
    lambda_ratio: float = 0.0
    lambda_ramp_steps: int = 0
    r1_weight: float = 0.0

    def __post_init__(self):
        _check_choices(self)
        ends = {"lambda_ratio": 1e3, "lambda_ramp_steps": 2**40, "r1_weight": 1e6}
        for field, most in ends.items():
            if not 0 <= (value := getattr(self, field)) <= most:
                raise UserError(f"{field} must be in [0, {most:g}], got {value}")
        if self.discriminator_steps < 1:
            raise UserError(
                f"discriminator_steps is {self.discriminator_steps}, must be 1 or more"
            )

    @classmethod
    def without_later(cls, fields: dict[str, Any]) -> dict[str, Any]:
        """A recipe's fields as before there was a choice, where none was made.

        Args:
          fields: of dataclasses.asdict.
        """
        later = {field.name: field.default for field in dataclasses.fields(cls)}
        return {name: v for name, v in fields.items() if v != later[name]}


@dataclasses.dataclass(frozen=True)
class ScoreWeights:
    """Factors of the scores; all 1 in the 2021 code. 0 keeps a score in the graph."""

    x: float = 1.0
    y0: float = 1.0
    labels: float = 1.0
    joint: float = 1.0


ALL_SCORES = ScoreWeights()

PAPER = Recipe(
    name="paper",
    update_order="generator_first",
    discriminator_steps=1,
    score_weight_inside_hinge=False,
    score_reduction="sum",
    count_removed_scores=False,
    discriminator_label_input="probabilities",
    continuous_output="linear",
    ccc_variance="biased",
    gan_start_epoch=-1,
    flip="exclusive",
    evaluated_heads="mean",
    channel_order="rgb",
    augment_interpolation="bilinear",
    shifted_mirror=False,
    face_translation=0.15,
    shuffle=True,
    clip_continuous=True,
    shared_sigma=True,
    encoder_start="authors_2021",
)

AUTHORS_2021 = Recipe(
    name="authors_2021",
    update_order="discriminator_first",
    discriminator_steps=2,
    score_weight_inside_hinge=True,
    score_reduction="mean",
    count_removed_scores=True,
    discriminator_label_input="logits",
    continuous_output="linear",
    ccc_variance="unbiased",
    gan_start_epoch=0,
    flip="inclusive",
    evaluated_heads="first",
    channel_order="bgr",
    augment_interpolation="nearest",
    shifted_mirror=True,
    face_translation=0.0,
    shuffle=True,
    clip_continuous=False,
    shared_sigma=False,
    encoder_start="authors_2021",
)

KFER = dataclasses.replace(
    AUTHORS_2021,
    name="kfer",
    count_removed_scores=False,
    discriminator_label_input="probabilities",
    continuous_output="tanh",
    ccc_variance="biased",
    flip="exclusive",
    evaluated_heads="mean",
    channel_order="rgb",
    augment_interpolation="bilinear",
    shifted_mirror=False,
    face_translation=0.15,
    clip_continuous=True,
    shared_sigma=True,
    encoder_start="standardized",
)

# The game without the faults that docs/design/game.md finds in it.
REPAIRED = dataclasses.replace(
    KFER,
    name="repaired",
    discriminator_steps=1,
    discriminator_label_input="samples",
    joint_score="projection",
    labels_through_annotators=True,
    lambda_ratio=0.3,
    lambda_ramp_steps=200,
)

RECIPES = {recipe.name: recipe for recipe in (PAPER, AUTHORS_2021, KFER, REPAIRED)}

# What the 2021 scripts set apart per data set, and our own recipe: narrow nets learn
# the labels first (see README).
_BY_DATASET: dict[str, dict[str, dict[str, Any]]] = {
    "authors_2021": {
        "raf": {"gan_start_epoch": 5},
        "affectnet": {"gan_start_epoch": -1, "shuffle": False},
        "cifar10": {"channel_order": "rgb"},
        "cifar10n": {"channel_order": "rgb"},
    },
    "kfer": {
        "raf": {"gan_start_epoch": 5},
        "affectnet": {"gan_start_epoch": -1},
        "synthetic_faces": {"gan_start_epoch": 11, "face_translation": 0.06},
    },
}


def recipe_for(name: str, dataset: str) -> Recipe:
    """A recipe as it is for a data set; raises UserError if there is none."""
    if name not in RECIPES:
        known = ", ".join(sorted(RECIPES))
        raise UserError(f"Unknown recipe {name!r}; known: {known}")
    base = "kfer" if name == "repaired" else name
    fields = _BY_DATASET.get(base, {}).get(dataset, {})
    return dataclasses.replace(RECIPES[name], **fields)

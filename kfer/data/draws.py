"""All that is random in a batch, as functions of (seed, position) alone.

Each is drawn for the whole global batch, and a pipeline takes its rows of it: so a
batch is the same however many pipelines make it.
"""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from kfer.data import augment
from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig
from kfer.structures import Noise

# Streams of randomness of one seed.
ORDER, _AUGMENT, _ENCODER, _DECODER, _DROPOUT, _MIRROR, _CUTOUT, _MIXUP = range(8)

# Small alphas may draw two zeros from Gamma(alpha, 1).
_SMALLEST = 1e-30


@dataclasses.dataclass(frozen=True)
class Share:
    """Rows begin..end of the global batch of `total` rows, for `replicas` replicas."""

    begin: int
    end: int
    total: int
    replicas: int

    def rows(self) -> dict[str, int]:
        """Of the global batch, as storage.Plan takes them."""
        return {"begin": self.begin, "end": self.end}

    def of(self, drawn: tf.Tensor) -> tf.Tensor:
        """The share's rows of what was drawn for the whole batch."""
        return drawn[self.begin : self.end]


def share_of(
    context: tf.distribute.InputContext | None, config: ExperimentConfig
) -> Share:
    """What one of several input pipelines makes.

    Raises:
      UserError: the replicas don't divide the batch, or pictures are mixed in pairs and
        a replica gets an odd number.
    """
    batch_size = config.batch_size
    pipelines = context.num_input_pipelines if context else 1
    replicas = max(context.num_replicas_in_sync if context else 1, pipelines)
    if batch_size % replicas or replicas % pipelines:
        raise UserError(
            f"batch_size {batch_size} is not a multiple of the {replicas} replicas on "
            f"{pipelines} workers; choose one that is"
        )
    if config.optimization.mixup and batch_size // replicas % 2:
        raise UserError(
            f"mixup mixes pictures in pairs, and batch_size {batch_size} gives each of "
            f"{replicas} replicas {batch_size // replicas}; choose an even number"
        )
    size = batch_size // pipelines
    begin = size * (context.input_pipeline_id if context else 0)
    return Share(begin, begin + size, batch_size, replicas // pipelines)


def seed_at(seed: int, stream: int, position: tf.Tensor) -> tf.Tensor:
    """int32 [2] for one stream of randomness at an epoch or a step."""
    start = tf.constant([seed & 0x7FFFFFFF, stream], tf.int32)
    return tf.random.experimental.stateless_fold_in(start, tf.cast(position, tf.int32))


class Sides:
    """Which way round each picture is shown, for Optimization.mirror 'alternating'.

    Args:
      num_examples: of the split.
      steps_per_epoch: of the run.
      config: of the run.
    """

    def __init__(
        self, num_examples: int, steps_per_epoch: int, config: ExperimentConfig
    ):
        self.steps_per_epoch = steps_per_epoch
        self.first = None
        if config.optimization.mirror == "alternating":
            seed = seed_at(config.seed, _MIRROR, 0)
            self.first = tf.random.stateless_uniform([num_examples], seed) < 0.5

    def __call__(self, step: tf.Tensor, positions: tf.Tensor) -> tf.Tensor | None:
        """[B] bool, True for the mirror image; None where it is drawn at each step.

        Args:
          step: global, int scalar.
          positions: [B] int64 of the pictures in the split.
        """
        if self.first is None:
            return None
        odd = tf.equal(tf.cast(step, tf.int64) // self.steps_per_epoch % 2, 1)
        return tf.not_equal(tf.gather(self.first, positions), odd)


def augmented(
    pictures: tf.Tensor,
    config: ExperimentConfig,
    step: tf.Tensor,
    share: Share,
    sides: tf.Tensor | None,
) -> tf.Tensor:
    """The share's pictures in [-1, 1], warped and covered as the config says.

    Args:
      pictures: [B, S, S, 3] in 0..255.
      config: of the run.
      step: global, int scalar.
      share: of the batch.
      sides: of Sides.
    """
    optimization, recipe, size = config.optimization, config.recipe, config.image_size
    transforms = augment.random_transforms(
        config.augmentation,
        seed_at(config.seed, _AUGMENT, step),
        share.total,
        size,
        recipe,
        optimization.crop_pad,
        sides is None,
    )
    if transforms is not None:
        mine, face = share.of(transforms), config.augmentation == "face"
        if sides is not None:
            mine = augment.mirrored(mine, sides, size, recipe if face else None)
        # Shifts by whole pixels need no interpolation.
        interpolation = recipe.augment_interpolation if face else "nearest"
        reflects = optimization.crop_fill == "reflect" and not face
        border = optimization.crop_pad if reflects else 0
        pictures = augment.apply(pictures, mine, interpolation, border)
    images = augment.normalise(pictures, recipe.channel_order)
    if not optimization.cutout:
        return images
    seed = seed_at(config.seed, _CUTOUT, step)
    centres = tf.random.stateless_uniform([share.total, 2], seed, 0, size, tf.int32)
    return augment.cutout(images, share.of(centres), optimization.cutout)


def mixing(config: ExperimentConfig, step: tf.Tensor, share: Share) -> tf.Tensor:
    """[B] draws of Beta(alpha, alpha) for kfer.data.mixup, each from two of Gamma."""
    seed, alpha = seed_at(config.seed, _MIXUP, step), float(config.optimization.mixup)
    drawn = tf.random.stateless_gamma([share.total, 2], seed, alpha)
    own, other = tf.unstack(tf.maximum(share.of(drawn), _SMALLEST), axis=1)
    return own / (own + other)


def noise(config: ExperimentConfig, step: tf.Tensor, share: Share) -> Noise:
    """What a step draws; see structures.Noise."""

    def draw(function: Callable, stream: int, width: int) -> tf.Tensor:
        seed = seed_at(config.seed, stream, step)
        return share.of(function([share.total, width], seed))

    normal, uniform = tf.random.stateless_normal, tf.random.stateless_uniform
    return Noise(
        y0_encoder=draw(normal, _ENCODER, config.noise_size),
        y0_decoder=draw(normal, _DECODER, config.noise_size),
        dropout=draw(uniform, _DROPOUT, 2 * config.channels(config.embedding_size)),
    )

"""The experiment that follows from a data set of one's own."""

import dataclasses
import math
from typing import Any

from kfer.errors import UserError
from kfer.settings import axes
from kfer.settings import config as config_lib
from kfer.settings.backbones import PAPER
from kfer.settings.config import IMAGE_SIZES, ExperimentConfig
from kfer.settings.optimization import preset
from kfer.tasks import LabelTask

NAME = "own_data"
METHOD = "kfer"
BACKBONE = "compact_s"

# Peak rate at this batch; it goes with the batch.
_RATE, _BATCH = 1.0, 512
# Optimizer steps that a run takes, but for so few or so many epochs.
_STEPS, _EPOCHS = 800, (8, 100)


def method_for(experiment: str) -> str:
    """The method where none is chosen: an experiment is a row of the paper's tables."""
    return "joint" if experiment else METHOD


def experiment(
    tasks: tuple[LabelTask, ...],
    dataset: str,
    stored_size: int,
    num_examples: int,
    faces: bool,
    recipe: str = "kfer",
    method: str = METHOD,
    **overrides: Any,
) -> ExperimentConfig:
    """The config of a run on labels that no named experiment is about.

    By default a compact network learns by the recipe that won on noisy labels
    (docs/results). The paper's recipes, its adversarial game and backbone 'vgg16' keep
    the paper's network and Adam.

    Args:
      tasks: learned.
      dataset: name of the data set.
      stored_size: side of its stored pictures in pixels; 0 if they differ.
      num_examples: of its training split, at least 1.
      faces: whether the pictures are aligned faces, which may be turned and scaled.
      recipe, method, **overrides: see config.experiment_config.

    Raises:
      UserError: the pictures are too small, or see config.experiment_config.
    """
    base = ExperimentConfig(
        name=NAME,
        dataset=dataset,
        tasks=tasks,
        image_size=image_size_for(stored_size),
        embedding_size=500,
        augmentation="face" if faces else "crop_flip",
        batch_size=batch_size_for(num_examples),
    )
    if (
        recipe == "kfer"
        # The game's networks are those that it was published with.
        and axes.rows_of(method)[0] not in axes.AXES["regulariser"]
        and overrides.get("backbone", BACKBONE) != PAPER
    ):
        base = fast(base, num_examples, overrides.get("batch_size", 0))
    return config_lib.configured(base, recipe, method, **overrides)


def fast(
    base: ExperimentConfig, num_examples: int, batch_size: int = 0
) -> ExperimentConfig:
    """The config with a compact network and the recipe for it, sized by the data.

    Args:
      base: of the labels and pictures.
      num_examples: of the training split.
      batch_size: 0 for one that leaves 16 steps an epoch, 16 to 512.
    """
    batch = batch_size or min(_BATCH, max(16, _power_of_two(num_examples // 16)))
    batch = min(batch, num_examples) if not batch_size else batch
    steps = max(1, num_examples // batch)
    low, high = _EPOCHS
    return dataclasses.replace(
        base,
        backbone=BACKBONE,
        optimization=preset("fast").optimization,
        batch_size=batch,
        learning_rate=_RATE * batch / _BATCH,
        epochs=min(high, max(low, math.ceil(_STEPS / steps))),
    )


def image_size_for(stored: int) -> int:
    """The largest of IMAGE_SIZES that pictures of this side have pixels for; 64 if 0.

    Raises:
      UserError: even the smallest is larger.
    """
    fitting = [size for size in IMAGE_SIZES if size <= (stored or 64)]
    if not fitting:
        raise UserError(
            f"The pictures are stored at {stored} px, the networks take "
            f"{IMAGE_SIZES[0]} px and more; prepare them again with "
            f"--image_size={IMAGE_SIZES[0]}"
        )
    return fitting[-1]


def batch_size_for(num_examples: int) -> int:
    """A power of two up to 128 that leaves at least four steps an epoch; 1 at least."""
    return min(128, _power_of_two(num_examples // 4))


def _power_of_two(count: int) -> int:
    """The largest that is not above the count; 1 at least."""
    return 1 << max(0, count.bit_length() - 1)

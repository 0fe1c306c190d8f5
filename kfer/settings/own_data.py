"""The experiment that follows from a data set of one's own."""

from typing import Any

from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings.config import IMAGE_SIZES, ExperimentConfig
from kfer.tasks import LabelTask

NAME = "own_data"


def experiment(
    tasks: tuple[LabelTask, ...],
    dataset: str,
    stored_size: int,
    num_examples: int,
    faces: bool,
    recipe: str = "kfer",
    method: str = "joint",
    **overrides: Any,
) -> ExperimentConfig:
    """The config of a run on labels that no named experiment is about.

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
    return config_lib.configured(base, recipe, method, **overrides)


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
    return min(128, 1 << max(0, (num_examples // 4).bit_length() - 1))

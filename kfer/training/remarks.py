"""What of a run's settings comes to nothing in it, which a user should know."""

from collections.abc import Iterator

from absl import logging

from kfer.data.dataset import Dataset
from kfer.settings import axes
from kfer.settings.config import ExperimentConfig


def warn(config: ExperimentConfig, dataset: Dataset, epochs: float) -> None:
    """Logs the lines of `of_data` and `of_length`."""
    for line in (*of_data(config, dataset), *of_length(config, epochs)):
        logging.warning("%s", line)


def of_data(config: ExperimentConfig, dataset: Dataset) -> Iterator[str]:
    """Where labels were simulated otherwise than the config says.

    Args:
      config: of the run.
      dataset: as it was prepared, whose labels are learned as they are.
    """
    if (dataset.name, config.dataset) != ("cifar10", "cifar10"):
        return
    made = dataset.options.get("flip", config.recipe.flip)
    if made != config.recipe.flip:
        yield (
            f"{dataset.root} was made with flip={made}, and its labels are learned as "
            f"they are; for flip={config.recipe.flip} make it with kfer-data make "
            f"--flip={config.recipe.flip}"
        )
    asked = dict(enumerate(config.flip_rates, 1))
    for index, rate in asked.items():
        row = dataset.noise.get("train", {}).get(f"annotator_{index}", {})
        if abs(row.get("requested", rate) - rate) > 1e-9:
            yield (
                f"{dataset.root}: annotator_{index} was made with a flip rate of "
                f"{row['requested']:g}, not {rate:g}, and is learned as it is"
            )


def of_length(config: ExperimentConfig, epochs: float) -> Iterator[str]:
    """What would begin, or be reached, after the run's end.

    Args:
      config: of the run, see kfer.methods.fit_to_data.
      epochs: that it has, whole or not.
    """
    options, warmup = config.options, config.recipe.gan_start_epoch + 1
    if getattr(options, "em_start_epoch", 0) >= epochs:
        yield (
            f"em_start_epoch is {options.em_start_epoch} and the run has {epochs:g} "
            "epochs: the network's answers never count in its targets"
        )
    # Its share follows at an epoch's beginning, counted from 0.
    if getattr(options, "ramp_epochs", 0) > max(epochs - 1, 0):
        yield (
            f"ramp_epochs is {options.ramp_epochs} and the run has {epochs:g} epochs: "
            f"forget_rate {options.forget_rate:g} is never reached"
        )
    if axes.regulariser_of(config.method) != "none" and warmup >= epochs:
        yield (
            f"gan_start_epoch is {warmup - 1} and the run has {epochs:g} epochs: it "
            "learns from labels alone, the game never begins"
        )

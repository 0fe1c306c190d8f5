"""Builds a method with its optimizers, new or as a run left it."""

from typing import Any

from kfer import methods
from kfer.settings.config import ExperimentConfig
from kfer.training import checkpoints, execution, run_folder
from kfer.training.optimizers import Adam


def compiled(
    config: ExperimentConfig, mixed_precision: str = "float32", **options: Any
) -> Any:
    """The method's model with its optimizers and all variables.

    Args:
      config: see ExperimentConfig.
      mixed_precision: see RunSettings.
      **options: of keras.Model.compile.
    """

    def adam() -> Any:
        own = Adam(config.learning_rate, config.beta_1, config.beta_2, config.epsilon)
        return execution.loss_scaled(own, mixed_precision)

    with execution.precision(mixed_precision):
        method = methods.build(config)
        method.compile(adam(), adam(), **options)
        method.build_all()
    return method


def restored(run_dir: str, step: int = 0) -> tuple[Any, ExperimentConfig, int]:
    """A run's model with a checkpoint, its config and that step.

    Args:
      run_dir: of kfer-train.
      step: of the checkpoint; 0 for the newest.

    Raises:
      UserError: the folder is no run, or has no such checkpoint.
    """
    config = run_folder.load_config(run_dir)
    method = compiled(config)
    return method, config, checkpoints.restore_model(method, run_dir, step)

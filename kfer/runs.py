"""A whole run: train, score, export, report."""

import functools
import os
from collections.abc import Sequence
from typing import Any

from absl import logging

from kfer import methods
from kfer.data.dataset import Dataset
from kfer.evaluation import each_target, report, samples, scoring, yardstick
from kfer.evaluation.yardstick import Yardstick
from kfer.serving import export
from kfer.settings.config import ExperimentConfig
from kfer.training import loop, run_folder
from kfer.training.loop import RunSettings

DEFAULTS = RunSettings()


def train(
    config: ExperimentConfig,
    dataset: Dataset,
    run_dir: str,
    settings: RunSettings = DEFAULTS,
) -> dict[str, Any]:
    """kfer.training.loop.train, scored along the way and with G_X's samples.

    The scores are those of the clean test split; where there is none, or nothing of a
    target, see kfer.evaluation.yardstick. Where nothing can be compared with, a warning
    says so.

    Args, returns and errors are loop.train's.
    """
    found = compared(methods.resolve_tasks(config), dataset)
    scorer = found and functools.partial(each_target.scorer, compared=found)
    scored_on = None
    if found and found != yardstick.CLEAN_TEST:
        scored_on = found.as_dict()
        logging.info("Scores are against %s", found.describe())
    return loop.train(
        config, dataset, run_dir, settings, scorer, samples.painter, scored_on
    )


def compared(config: ExperimentConfig, dataset: Dataset) -> Yardstick | None:
    """What a run on this data is scored against; None, and a warning, if nothing."""
    try:
        return yardstick.choose(dataset, config)
    except yardstick.NothingToCompareError as error:
        logging.warning("%s", error)
        return None


def publish(run_dir: str, rivals: Sequence[str] = ()) -> str:
    """Predictions, SavedModel and report of a finished run; the report's path.

    Args:
      run_dir: of a finished run.
      rivals: other runs that the report shows beside it.
    """
    if compared(run_folder.load_config(run_dir), scoring.load_data(run_dir)):
        scoring.evaluate_run(
            run_dir, predictions_path=os.path.join(run_dir, scoring.PREDICTIONS)
        )
    export.export_run(run_dir, overwrite=True)
    return report.write_report(run_dir, rivals)

"""A whole run: train, score, export, report."""

import os
from collections.abc import Sequence
from typing import Any

from kfer.data.dataset import Dataset
from kfer.evaluation import report, samples, scoring
from kfer.serving import export
from kfer.settings.config import ExperimentConfig
from kfer.training import loop
from kfer.training.loop import RunSettings

DEFAULTS = RunSettings()


def train(
    config: ExperimentConfig,
    dataset: Dataset,
    run_dir: str,
    settings: RunSettings = DEFAULTS,
) -> dict[str, Any]:
    """kfer.training.loop.train, scored on the clean test split and with G_X's samples.

    Args, returns and errors are loop.train's.
    """
    return loop.train(
        config, dataset, run_dir, settings, scoring.scorer, samples.painter
    )


def publish(run_dir: str, rivals: Sequence[str] = ()) -> str:
    """Predictions, SavedModel and report of a finished run; the report's path.

    Args:
      run_dir: of a finished run.
      rivals: other runs that the report shows beside it.
    """
    scoring.evaluate_run(
        run_dir, predictions_path=os.path.join(run_dir, scoring.PREDICTIONS)
    )
    export.export_run(run_dir, overwrite=True)
    return report.write_report(run_dir, rivals)

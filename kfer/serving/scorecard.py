"""A published candidate: its scores, the page that shows them, and the verdict."""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from kfer.evaluation import judgement, report, scoring
from kfer.metrics import suite
from kfer.serving import model_scores
from kfer.storage import whole

EVALUATION = "evaluation.json"


def write(
    out_dir: str,
    model_dir: str,
    data_dir: str,
    run_dir: str,
    rivals: Sequence[str] = (),
    minimum: Mapping[str, float] | None = None,
    last_blessed: str = "",
    largest_drop: float = 0.0,
) -> dict[str, Any]:
    """Scores a SavedModel on clean test examples and judges it.

    Args:
      out_dir: gets evaluation.json, predictions.npz and report.html, beside what the
        run's folder holds.
      model_dir: a SavedModel of kfer.serving.export.
      data_dir: a prepared data set.
      run_dir: what the training of the model left, see components.trainer.run_fn.
      rivals: other runs that the page shows beside it.
      minimum, largest_drop: see judgement.objections.
      last_blessed: a SavedModel to beat; '' if there is none.

    Returns:
      What evaluation.json holds: evaluate_model's, 'objections' and 'last_blessed'.
    """
    shutil.copytree(run_dir, out_dir, dirs_exist_ok=True)
    predictions = os.path.join(out_dir, scoring.PREDICTIONS)
    found = model_scores.evaluate_model(
        model_dir, data_dir, predictions_path=predictions
    )
    before = None
    if last_blessed:
        before = model_scores.evaluate_model(last_blessed, data_dir)["scores"]
    found["last_blessed"] = before
    found["objections"] = judgement.objections(
        found["scores"], minimum or {}, before, largest_drop
    )
    whole.write_json(os.path.join(out_dir, EVALUATION), found)
    report.write_report(out_dir, rivals)
    return found


def describe(found: Mapping[str, Any]) -> str:
    """Scores and verdict in one line."""
    verdict = judgement.describe(found["objections"])
    return f"{suite.brief_line(found['scores'])}; {verdict}"

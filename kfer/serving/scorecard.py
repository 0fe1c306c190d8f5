"""A published candidate: its scores, the page that shows them, and the verdict."""

import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from kfer.data import dataset as dataset_lib
from kfer.data.record import LABELS
from kfer.errors import UserError
from kfer.evaluation import (
    each_target,
    judgement,
    report,
    scoring,
    verdict,
    yardstick,
)
from kfer.evaluation.yardstick import Yardstick
from kfer.metrics import suite
from kfer.serving import model_folder, model_scores
from kfer.settings import config as config_lib
from kfer.storage import whole
from kfer.tasks import LabelTask


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
    """Scores a SavedModel on what yardstick.choose finds and judges it.

    Where there is nothing to compare with, 'scores' is empty, 'unscored' says why, and
    thresholds are not met.

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
      What evaluation.json holds: evaluate_model's, 'minimum' and 'largest_drop',
      'objections', 'last_blessed_model' and 'last_blessed', the scores of that model,
      or 'incomparable', why it has none on these data; and 'digest', by which a
      published copy of the model is known.
    """
    shutil.copytree(run_dir, out_dir, dirs_exist_ok=True)
    predictions = os.path.join(out_dir, scoring.PREDICTIONS)
    try:
        found = model_scores.evaluate_model(
            model_dir, data_dir, predictions_path=predictions
        )
    except yardstick.NothingToCompareError as error:
        found = {"model": model_dir, "scores": {}, "unscored": str(error)}
    found |= {"digest": model_folder.digest(model_dir)}
    found |= {"minimum": dict(minimum or {}), "largest_drop": largest_drop}
    found |= {"last_blessed_model": last_blessed}
    found |= _before(last_blessed, data_dir, found)
    before = found["last_blessed"]
    found["objections"] = judgement.objections(
        each_target.of_result(found),
        minimum or {},
        before,
        largest_drop,
        verdict.unscored(found),
    )
    whole.write_json(os.path.join(out_dir, verdict.EVALUATION), found)
    report.write_report(out_dir, rivals)
    return found


def _before(model_dir: str, data_dir: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of the last blessed model, each target on what the new one's was."""
    if not model_dir or "unscored" in found:
        return {"last_blessed": None}
    described = model_folder.read_description(model_dir)
    tasks = config_lib.from_dict(described["config"]).tasks
    main = Yardstick.noted(found)
    try:
        before = _scores(model_dir, data_dir, tasks, main)
    except UserError as error:
        return {"last_blessed": None, "incomparable": str(error)}
    for target, own in found.get("elsewhere", {}).items():
        theirs = [task for task in tasks if task.target == target]
        if not (own and theirs):
            continue
        compared = Yardstick.noted(own)
        try:
            scored = _scores(model_dir, data_dir, theirs, compared)
        except UserError:  # labels of other columns than last time
            continue
        before[target] = scored[target] | compared.as_dict()
    return {"last_blessed": before}


def _scores(
    model_dir: str, data_dir: str, tasks: Sequence[LabelTask], compared: Yardstick
) -> dict[str, Any]:
    """Target -> scores of what a model's tasks can be compared with.

    Raises:
      UserError: nothing; labels of one's own may have other columns than last time.
    """
    from kfer.data import labels

    labels.compared_columns(dataset_lib.load(data_dir), tasks, *compared)
    split, against = compared
    scored = model_scores.evaluate_model(model_dir, data_dir, split, against=against)
    return scored["scores"]


def describe(found: Mapping[str, Any]) -> str:
    """Scores and verdict in one line, and what could not be told."""
    scores = "no score: there is no truth and no label held out"
    if "unscored" not in found:
        scores = suite.brief_line(each_target.of_result(found))
        if found["against"] == LABELS:
            scores += " (agreement with annotators: no truth is known)"
    beside = "; not comparable with the last blessed model" * ("incomparable" in found)
    return f"{scores}{beside}; {judgement.describe(found['objections'])}"

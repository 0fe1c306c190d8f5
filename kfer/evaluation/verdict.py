"""Whether a candidate was blessed and why, as the page of its evaluation tells it."""

import os
from collections.abc import Mapping
from typing import Any

from kfer.errors import UserError
from kfer.evaluation import each_target, judgement
from kfer.training import run_folder

# Beside what a run's folder holds, where a candidate was judged; see
# kfer.serving.scorecard.
EVALUATION = "evaluation.json"
# The judged model among the 'last' and the 'best' of a run.
EXPORTED = "exported"


def read(folder: str) -> dict[str, Any]:
    """What was noted of the judged model in a folder; {} where none was judged.

    Raises:
      UserError: the file is damaged, or tells of something else.
    """
    path = os.path.join(folder, EVALUATION)
    if not os.path.exists(path):
        return {}
    found = run_folder.read_json(path)
    if not isinstance(found, dict) or not {"scores", "objections"} <= found.keys():
        raise UserError(
            f"Can't read {path}: it has no scores and objections; judge the model again"
        )
    return found


def result(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """{'step', 'test'} of the judged model, as kfer.evaluation.results has a run's.

    Args:
      found: of `read`.
    """
    scores = each_target.of_result(found) if found else {}
    return {"step": found["step"], "test": scores} if scores else None


def unscored(found: Mapping[str, Any]) -> list[str]:
    """Targets that there was nothing to compare with."""
    return [target for target, own in found.get("elsewhere", {}).items() if not own]


def line(found: Mapping[str, Any]) -> str:
    """'blessed', or why not; '' where none was judged."""
    return judgement.describe(found["objections"]) if found else ""


def content(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the page shows; {} where none was judged.

    Args:
      found: of `read`; what an older version noted doesn't say what was asked for.
    """
    if not found:
        return {}
    scores = each_target.of_result(found)
    asked = found.get("minimum", {})
    return {
        "line": line(found),
        "is_blessed": not found["objections"],
        "model": found["model"],
        "unscored": found.get("unscored", ""),
        "thresholds": judgement.thresholds(scores, asked, unscored(found)),
        "beside": _beside(found, scores),
        "calibration": [
            f"{target} {row['ece']:.4f}"
            for target, row in scores.items()
            if row.get("ece") is not None
        ],
    }


def _beside(found: Mapping[str, Any], scores: judgement.Scores) -> str:
    """The model that it had to beat."""
    name = found.get("last_blessed_model") or "the last blessed model"
    if "incomparable" in found:
        return f"It can't be compared with {name}: {found['incomparable']}"
    now, then = judgement.ranks(scores, found.get("last_blessed") or {})
    if now is None:
        return "There was no blessed model to compare it with"
    drop = found.get("largest_drop", 0.0)
    allowed = f"; it may be {drop:g} lower" if drop else ""
    return f"Its score is {now:.4f}, that of {name} {then:.4f}{allowed}"

"""metrics.json: what a run came to, and the same in words."""

import os
from collections.abc import Mapping
from typing import Any

from kfer.metrics import suite
from kfer.storage import whole
from kfer.training import run_folder


def write(
    run_dir: str, interrupted: bool, scored_on: Mapping[str, str] | None
) -> dict[str, Any]:
    """Writes metrics.json from the history.

    Args:
      run_dir: the run's folder.
      interrupted: whether a SIGTERM ended it early.
      scored_on: what was compared with; None is the clean test split.

    Returns:
      What was written: 'interrupted' and, of the last and the best evaluation, 'step',
      'seconds' and 'pflop' of training up to there, and 'test'.
    """
    rows = run_folder.read_history(run_dir)
    scored = [row for row in rows if row["test"]]
    metrics: dict[str, Any] = {"interrupted": interrupted}
    if scored_on:
        metrics["scored_on"] = dict(scored_on)
    if scored:
        best = max(scored, key=lambda row: suite.score_of(row["test"]))
        metrics["last"] = _evaluation(scored[-1])
        selected = f"the {_split(metrics)} split itself, so it is no fair choice"
        metrics["best"] = _evaluation(best) | {"selected_by": selected}
    whole.write_json(os.path.join(run_dir, run_folder.METRICS), metrics)
    return metrics


def _evaluation(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "step": row["step"],
        "seconds": row.get("total_seconds"),
        "pflop": row.get("pflop"),
        "test": row["test"],
    }


def summary(run_dir: str) -> str:
    """The last evaluation of a run and, marked as such, the best, in two lines."""
    metrics = run_folder.read_json(os.path.join(run_dir, run_folder.METRICS))
    if "last" not in metrics:
        return "not evaluated"
    lines = [
        f"{which} (step {metrics[which]['step']}{_cost(metrics[which])}): "
        + suite.summary_line(metrics[which]["test"])
        for which in ("last", "best")
    ]
    split = _split(metrics)
    if "scored_on" in metrics:
        lines[0] += f" [{metrics['scored_on']['against']} of the split {split}]"
    return "\n".join(
        [lines[0], f"{lines[1]} [chosen on the {split} split, no fair score]"]
    )


def _cost(evaluation: Mapping[str, Any]) -> str:
    """What it took to get there, where the run noted it."""
    seconds, pflop = (evaluation.get(name) for name in ("seconds", "pflop"))
    return "".join(
        f", {value:.3g} {unit}"
        for value, unit in ((seconds, "s"), (pflop, "PFLOP"))
        if value is not None
    )


def _split(metrics: Mapping[str, Any]) -> str:
    """The split that a run was scored on."""
    return metrics.get("scored_on", {}).get("split", "test")

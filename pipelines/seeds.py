"""A pipeline's run again from other seeds: one run proves nothing."""

import dataclasses
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from kfer import runs as runs_lib
from kfer.evaluation import scoring
from kfer.training import loop, run_folder

# Target, measure, factor, decimals, head.
_SHOWN = (
    ("expression", "accuracy", 100.0, 1, "accuracy %"),
    ("expression", "ece", 1.0, 3, "ECE"),
    ("valence_arousal", "ccc", 1.0, 3, "CCC"),
)


def scores(run_dir: str, method: str, out_dir: str, seeds: int) -> list[dict]:
    """The last scores of a run of the pipeline and of its twins with other seeds.

    Args:
      run_dir: of the pipeline.
      method: of the twins.
      out_dir: their folders come into it.
      seeds: how many in all.
    """
    config = run_folder.load_config(run_dir)
    total = config.epochs * (
        scoring.load_data(run_dir).split("train").num_records // config.batch_size
    )
    found = [_last_of(run_dir)]
    for number in range(1, seeds):
        seed = config.seed + number
        folder = os.path.join(out_dir, f"{method}_seed{seed}")
        twin = dataclasses.replace(config, seed=seed)
        settings = loop.RunSettings(eval_every=total)
        runs_lib.train(twin, scoring.load_data(run_dir), folder, settings)
        found.append(_last_of(folder))
    return found


def _last_of(run_dir: str) -> dict[str, Any]:
    """What metrics.json says of the last model."""
    return run_folder.read_json(os.path.join(run_dir, run_folder.METRICS))["last"]


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Mean and standard deviation of each method's measures over its seeds."""
    lines = ["".join(f"{head:>18}" for head in ["", *(row[4] for row in _SHOWN)])]
    for method, runs in found.items():
        cells = [f"{method:>18}"]
        for target, measure, factor, digits, _ in _SHOWN:
            values = [factor * run["test"][target][measure] for run in runs]
            text = f"{statistics.mean(values):.{digits}f}"
            if len(values) > 1:
                text += f" +- {statistics.stdev(values):.{digits}f}"
            cells.append(f"{text:>18}")
        lines.append("".join(cells))
    return "\n".join(lines)

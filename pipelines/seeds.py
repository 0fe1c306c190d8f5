"""A pipeline's run again from other seeds: one run proves nothing."""

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kfer import runs as runs_lib
from kfer.evaluation import scoring
from kfer.experiments import summary
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
    """Mean and standard deviation of each method's measures over its seeds.

    Below them each later method's difference to the first, paired by seed, with
    Student's 95 % interval; with one seed there is none.
    """
    lines = [_line("", [row[4] for row in _SHOWN])]
    measured = {method: _measured(runs) for method, runs in found.items()}
    for method, columns in measured.items():
        lines.append(_line(method, map(_mean_shown, _SHOWN, columns)))
    (first, theirs), *others = measured.items()
    for method, ours in others:
        if len(ours[0]) > 1:
            gaps = map(_gap_shown, _SHOWN, ours, theirs)
            lines.append(_line(f"{method} - {first}", gaps))
    return "\n".join(lines)


def _line(head: str, cells: Iterable[str]) -> str:
    return "".join(f"{cell:>18}" for cell in (head, *cells))


def _measured(runs: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Of each of _SHOWN the values by seed."""
    return [
        [factor * run["test"][target][measure] for run in runs]
        for target, measure, factor, *_ in _SHOWN
    ]


def _mean_shown(shown: tuple, values: Sequence[float]) -> str:
    digits, found = shown[3], summary.spread(values)
    text = f"{found.mean:.{digits}f}"
    if found.deviation is not None:
        text += f" +- {found.deviation:.{digits}f}"
    return text


def _gap_shown(shown: tuple, ours: Sequence[float], theirs: Sequence[float]) -> str:
    digits = shown[3]
    gap = summary.gap(dict(enumerate(ours)), dict(enumerate(theirs)))
    return f"{gap.mean:.{digits}f} +- {gap.half:.{digits}f}" if gap else ""

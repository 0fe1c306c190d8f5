"""Figures of a table: test accuracy and training loss over steps, pictures of G_X."""

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kfer.evaluation import pictures
from kfer.evaluation import results as runs_lib
from kfer.evaluation.pictures import Series
from kfer.evaluation.results import Run
from kfer.experiments import runner
from kfer.experiments.runner import Plan
from kfer.experiments.table import Table
from kfer.training import run_folder


def of_table(
    plan: Plan, table: Table, seeds: Sequence[int]
) -> Iterator[tuple[str, str, bytes]]:
    """File name, caption and PNG of each figure of a table.

    A figure that no finished cell can be drawn from is left out. The curves are those
    of Fig. 3 and of the paper's claim that its cross entropy settles high; the pictures
    are those of Fig. 4, of the last model of the lowest seed.
    """
    runs = _runs(plan, table, seeds)
    if table.figure != "samples":
        for setting in dict.fromkeys(entry.setting for entry in table.entries):
            mine = {label: r for (s, label), r in runs.items() if s == setting}
            yield from _curves(setting, mine)
    if table.figure != "curves":
        yield from _pictures(runs)


def _runs(
    plan: Plan, table: Table, seeds: Sequence[int]
) -> dict[tuple[str, str], list[Run]]:
    """(setting, method) -> the finished runs of its seeds."""
    found: dict[tuple[str, str], list[Run]] = {}
    for cell in table.cells(seeds):
        folder = plan.folder(cell)
        if runner.is_done(folder):
            run = runs_lib.load_run(folder)
            found.setdefault((cell.setting, cell.method), []).append(run)
    return found


def _curves(
    setting: str, runs: dict[str, list[Run]]
) -> Iterator[tuple[str, str, bytes]]:
    for name, (label, value) in _CURVES.items():
        series = {}
        for method, mine in runs.items():
            lines = [{row["step"]: value(row) for row in r.history} for r in mine]
            if line := mean_line(lines):
                series[method] = line
        if series:
            png = pictures.curves(series, label, percent=name == "accuracy")
            caption = f"{setting}: {label} over training steps, mean of the seeds"
            yield f"{setting}-{name}.png", caption, png


def _score(measure: str) -> Callable[[dict[str, Any]], float | None]:
    """Of a row of the history, the first target's that has the measure."""

    def of(row: dict[str, Any]) -> float | None:
        found = [part[measure] for part in row["test"].values() if measure in part]
        return found[0] if found else None

    return of


def _loss(row: dict[str, Any]) -> float | None:
    """The cross entropy of the label sets, their mean."""
    found = [v for k, v in row["train"].items() if k.endswith("/cross_entropy")]
    return statistics.fmean(found) if found else None


# Figure -> its vertical axis, and what it shows of a row of the history.
_CURVES: dict[str, tuple[str, Callable[[dict[str, Any]], float | None]]] = {
    "accuracy": ("clean test accuracy", _score("accuracy")),
    "ccc": ("clean test CCC", _score("ccc")),
    "loss": ("cross entropy of the training labels", _loss),
}


def mean_line(lines: Sequence[dict[int, float | None]]) -> Series | None:
    """The mean of several lines at the steps that all of them have.

    None if that is less than two: runs that were scored once have no curve.
    """
    steps = sorted(set.intersection(*map(set, lines))) if lines else []
    known = [s for s in steps if all(line[s] is not None for line in lines)]
    if len(known) < 2:
        return None
    values = [statistics.fmean(line[step] or 0.0 for line in lines) for step in known]
    return Series(known, values)


def _pictures(
    runs: dict[tuple[str, str], list[Run]],
) -> Iterator[tuple[str, str, bytes]]:
    for (setting, method), mine in runs.items():
        folder = os.path.join(mine[0].folder, run_folder.SAMPLES)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        names = [name for name in names if name.endswith(".png")]
        if names:
            with open(os.path.join(folder, names[-1]), "rb") as file:
                png = file.read()
            step = int(names[-1].removesuffix(".png").split("-")[-1])
            caption = f"{setting}, {method}: drawn by G_X at step {step}"
            yield f"{setting}-{method}-samples.png", caption, png

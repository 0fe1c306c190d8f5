"""Rows of results -> the lines of a table: mean and deviation beside the paper."""

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

from kfer.experiments.results import BEST, LAST, Row
from kfer.experiments.tables import Entry, Table


class Spread(NamedTuple):
    """A measure over seeds."""

    mean: float
    deviation: float | None  # of the seeds (n - 1); None of a single one
    seeds: int


class Line(NamedTuple):
    """One entry of a table."""

    row: str
    head: str
    entry: Entry
    last: Spread | None
    best: Spread | None
    machines: tuple[str, ...]


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and deviation of the seeds; None of nothing."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), deviation, len(values))


def lines(table: Table, rows: Sequence[Row]) -> list[Line]:
    """Every entry of a table, row by row."""
    return [
        _line(label, head, entry, rows)
        for label, entries in table.rows.items()
        for head, entry in zip(table.heads, entries, strict=True)
        if entry
    ]


def _line(label: str, head: str, entry: Entry, rows: Sequence[Row]) -> Line:
    mine = [
        row
        for row in rows
        if (row.setting, row.method, row.target, row.measure)
        == (entry.setting, entry.method, entry.target, entry.measure)
        and row.value is not None
    ]
    last, best = (
        spread(
            [row.value for row in mine if row.which == which and row.value is not None]
        )
        for which in (LAST, BEST)
    )
    machines = tuple(dict.fromkeys(row.machine for row in mine if row.machine))
    return Line(label, head, entry, last, best, machines)


def shown(entry: Entry, found: Spread | None) -> str:
    """A measure as the tables show it: '81.23 ± 0.45', or '' without one."""
    if found is None:
        return ""
    factor, digits = (100, 2) if entry.measure == "accuracy" else (1, 4)
    text = f"{factor * found.mean:.{digits}f}"
    if found.deviation is None:
        return text
    return f"{text} ± {factor * found.deviation:.{digits}f}"


def printed(entry: Entry) -> str:
    """The paper's number as the paper prints it."""
    if entry.printed is None:
        return ""
    return f"{entry.printed:.{2 if entry.measure == 'accuracy' else 4}f}"


def without_result(table: Table, rows: Sequence[Row]) -> dict[str, list[str]]:
    """'status: reason' -> the cells of a table that have no number."""
    mine = {(entry.setting, entry.method) for entry in table.entries}
    found: dict[str, list[str]] = {}
    for row in rows:
        if (row.setting, row.method) in mine and row.value is None and not row.measure:
            reason = f"{row.status}: {row.reason}" if row.reason else row.status
            name = f"{row.setting}-{row.method}-{row.seed}"
            found.setdefault(reason, []).append(name)
    return found


def labels_own(noise: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Label column -> how good the training labels themselves are.

    Args:
      noise: of the training split, see kfer.data.dataset.Dataset.noise.

    Returns:
      The share of labels that are right, or the RMSE of values, in words.
    """
    found = {}
    for column, row in noise.items():
        if "achieved" in row:
            found[column] = f"{100 * (1 - row['achieved']):.2f} % right"
        elif "rmse" in row:
            found[column] = "RMSE " + ", ".join(f"{v:.3f}" for v in row["rmse"])
    return found

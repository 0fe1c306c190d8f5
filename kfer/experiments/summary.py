"""Rows of results -> the lines of a table: mean and deviation beside the paper."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import scipy.stats

from kfer.experiments.results import BEST, LAST, Row
from kfer.experiments.table import Entry, Table
from kfer.metrics import suite


class Spread(NamedTuple):
    """A measure over seeds."""

    mean: float
    deviation: float | None  # of the seeds (n - 1); None of a single one
    seeds: int


class Gap(NamedTuple):
    """A method's measure minus another's, seed by seed."""

    mean: float
    half: float | None  # of the 95 % interval, by Student's t; None of a single seed
    seeds: int  # that both have


class Line(NamedTuple):
    """One entry of a table."""

    row: str
    head: str
    entry: Entry
    last: Spread | None
    best: Spread | None
    machines: tuple[str, ...]
    gap: Gap | None = None  # to the method that the table compares with
    seconds: Sequence[float] = ()
    pflop: Sequence[float] = ()


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and deviation of the seeds; None of nothing."""
    if not values:
        return None
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return Spread(statistics.fmean(values), deviation, len(values))


def gap(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Gap | None:
    """ours - theirs over the seeds that both have; None if they share none.

    Args:
      ours, theirs: seed -> measure.
    """
    pairs = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    if not pairs:
        return None
    mean, count = statistics.fmean(pairs), len(pairs)
    if count == 1:
        return Gap(mean, None, count)
    error = statistics.stdev(pairs) / math.sqrt(count)
    return Gap(mean, float(scipy.stats.t.ppf(0.975, count - 1)) * error, count)


def lines(table: Table, rows: Sequence[Row]) -> list[Line]:
    """Every entry of a table: row by row, or column by column from the best on down
    where the table compares its methods."""
    found = [
        _line(label, head, entry, rows, table.against)
        for label, entries in table.rows.items()
        for head, entry in zip(table.heads, entries, strict=True)
        if entry
    ]
    if not table.against:
        return found
    return sorted(found, key=lambda line: (table.heads.index(line.head), _rank(line)))


def _rank(line: Line) -> float:
    """Lower is better; without a number last."""
    if line.last is None:
        return math.inf
    lower = line.entry.measure in suite.LOWER_IS_BETTER
    return line.last.mean if lower else -line.last.mean


def _measured(entry: Entry, rows: Sequence[Row], which: str) -> list[Row]:
    return [
        row
        for row in rows
        if (row.setting, row.method, row.target, row.measure, row.which)
        == (entry.setting, entry.method, entry.target, entry.measure, which)
        and row.value is not None
    ]


def _by_seed(rows: Sequence[Row]) -> dict[int, float]:
    return {row.seed: row.value for row in rows if row.value is not None}


def _line(
    label: str, head: str, entry: Entry, rows: Sequence[Row], against: str
) -> Line:
    mine, best = (_measured(entry, rows, which) for which in (LAST, BEST))
    values = _by_seed(mine)
    other = dataclasses.replace(entry, method=against)
    compared = against not in ("", entry.method)
    return Line(
        label,
        head,
        entry,
        spread(list(values.values())),
        spread(list(_by_seed(best).values())),
        tuple(dict.fromkeys(row.machine for row in mine if row.machine)),
        gap(values, _by_seed(_measured(other, rows, LAST))) if compared else None,
        [row.seconds for row in mine],
        [row.pflop for row in mine if row.pflop is not None],
    )


def mean_shown(values: Sequence[float]) -> str:
    """The mean of a cost with three digits that count, or '' of nothing."""
    return f"{float(f'{statistics.fmean(values):.3g}'):g}" if values else ""


def gap_shown(entry: Entry, found: Gap | None, seeds: int) -> str:
    """A gap as the tables show it: '-1.15 ± 0.42', or '' without one.

    Args:
      entry: whose gap it is.
      found: see Gap.
      seeds: of the entry; a gap over fewer says so.
    """
    if found is None:
        return ""
    factor, digits = _unit(entry)
    text = f"{factor * found.mean:+.{digits}f}"
    if found.half is not None:
        text += f" ± {factor * found.half:.{digits}f}"
    return text if found.seeds == seeds else f"{text} ({found.seeds} of {seeds} seeds)"


def _unit(entry: Entry) -> tuple[int, int]:
    """What a measure is multiplied by, and how many decimals are shown."""
    return (100, 2) if entry.measure == "accuracy" else (1, 4)


def shown(entry: Entry, found: Spread | None) -> str:
    """A measure as the tables show it: '81.23 ± 0.45', or '' without one."""
    if found is None:
        return ""
    factor, digits = _unit(entry)
    text = f"{factor * found.mean:.{digits}f}"
    if found.deviation is None:
        return text
    return f"{text} ± {factor * found.deviation:.{digits}f}"


def printed(entry: Entry) -> str:
    """The paper's number as the paper prints it."""
    if entry.printed is None:
        return ""
    return f"{entry.printed:.{_unit(entry)[1]}f}"


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
      The share of labels that are right and how many there are, or the RMSE of
      values, in words.
    """
    found = {}
    for column, row in noise.items():
        if "achieved" in row:
            # A prepared data set is taken as large as it is, whatever the scale says.
            right = f"{100 * (1 - row['achieved']):.2f} %"
            found[column] = f"{right} of {row['compared']:,} right"
        elif "rmse" in row:
            found[column] = "RMSE " + ", ".join(f"{v:.3f}" for v in row["rmse"])
    return found

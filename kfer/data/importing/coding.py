"""Columns of labels as numbers, with what is wrong in which row."""

import dataclasses
import functools
import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from kfer import tasks as tasks_lib
from kfer.data import reasons
from kfer.data import record as record_lib
from kfer.data.importing import classes as classes_lib
from kfer.data.importing import values
from kfer.data.importing.headers import Labels
from kfer.data.importing.options import TableOptions, asked, is_missing
from kfer.data.importing.table import Table
from kfer.data.record import Column
from kfer.errors import UserError

UNIT = (-1.0, 1.0)
# Dimensions that are stored in UNIT whatever their scale.
_IN_UNIT = (*tasks_lib.VALENCE_AROUSAL, "dominance")
# More values than this share beyond the scale: the scale is another.
_FEW = 0.05
# So many different values from 0 to 1, or both of these, may well be of that scale.
_SEVERAL = 3


class BeyondScale(UserError):
    """Values of one dimension lie beyond [-1, 1], and no scale is told.

    Attributes:
      found: what was found, in words.
      target: the dimension.
      extent: its lowest and highest value.
    """

    def __init__(self, found: str, target: str, extent: tuple[float, float]):
        self.found, self.target, self.extent = found, target, extent
        super().__init__(found)


class TwoScales(UserError):
    """Values of one dimension could be of [0, 1] or of [-1, 1], and neither is told."""


@dataclasses.dataclass(frozen=True)
class Coded:
    """A table column of labels as numbers.

    Attributes:
      codes: [rows], of classes (-1 where missing) or values (NaN where missing).
      faults: row -> (reason, detail).
    """

    codes: np.ndarray
    faults: Mapping[int, tuple[str, str]]


def of_group(
    table: Table, target: str, group: list[Labels], options: TableOptions
) -> tuple[Column, dict[str, Coded], list[str]]:
    """All columns of one truth.

    Returns:
      Its classes, or its range; header -> labels; and sentences on what was found.

    Raises:
      BeyondScale, TwoScales: values need a scale.
      UserError: classes and values at once, or what they mean can't be told.
    """
    kinds = {part.is_values for part in group}
    if len(kinds) > 1:
        raise UserError(
            f"{table.name}: of {[p.header for p in group]} some are classes and some "
            f"values of {target!r}; rename one, or --ignore it"
        )
    if not kinds.pop():
        return of_classes(table, target, group, options)
    scale, coded, said = of_values(table, target, group, options)
    column = Column(target, tasks_lib.CONTINUOUS, (), (target,), *scale)
    return column, coded, said


def of_classes(
    table: Table, target: str, group: list[Labels], options: TableOptions
) -> tuple[Column, dict[str, Coded], list[str]]:
    """One list of classes for all columns of a truth."""
    orders = {part.order for part in group if part.order}
    if len(orders) > 1:
        raise UserError(
            f"{table.name}: the columns {[p.header for p in group]} number the classes "
            f"of one truth in the orders {sorted(orders)}; give one order"
        )
    order = next(iter(orders), options.order)
    # In kfer's order are numbers of which nothing else is said.
    if options.order not in ("", "kfer", order):
        raise UserError(
            f"{table.name}: a column says that numbers are in the order {order}, "
            f"--order says {options.order}; give one order"
        )
    counts: Counter = Counter()
    headers = [part.header for part in group]
    for header in headers:
        # A row that is set aside as a whole tells nothing of the classes.
        cells = table.cells[header].drop(index=[*table.problems])
        counts.update(cells.value_counts().to_dict())
    flag = target if target != "label" else group[0].header
    known = classes_lib.vocabulary(counts, target, options, order, flag, headers)
    # Header words that say no more than that there are classes.
    generic = target in ("label", "class", "category", "emotion")
    name = "expression" if known.is_expression and generic else target
    coded = {p.header: _coded_classes(table, p.header, known) for p in group}
    said = [f"classes of {name}: {_counted(known, counts)}"]
    said += [f"{name} by the {known.numbering}"] if known.numbering else []
    said += _said_missing(name, counts, known)
    return record_lib.categorical(name, known.classes), coded, said


def _coded_classes(table: Table, header: str, known: classes_lib.Vocabulary) -> Coded:
    cells = table.cells[header]
    codes = cells.map(lambda text: known.codes.get(text, classes_lib.MISSING))
    bad = cells[cells.isin(known.faults.keys())]
    faults = {
        row: (known.faults[text][0], f"column {header!r}: {known.faults[text][1]}")
        for row, text in bad.items()
    }
    return Coded(codes.to_numpy(np.int64), faults)


def _counted(known: classes_lib.Vocabulary, counts: Counter) -> str:
    by_class = Counter()
    for text, code in known.codes.items():
        by_class[code] += counts[text]
    return ", ".join(f"{c} ({by_class[i]})" for i, c in enumerate(known.classes))


def _said_missing(
    name: str, counts: Counter, known: classes_lib.Vocabulary
) -> list[str]:
    gone = classes_lib.MISSING
    words = {t: n for t, n in counts.items() if t and known.codes.get(t) == gone}
    if not words:
        return []
    listed = ", ".join(f"{text!r} ({n})" for text, n in sorted(words.items()))
    return [f"no label of {name}: {listed}"]


def of_values(
    table: Table, target: str, group: list[Labels], options: TableOptions
) -> tuple[tuple[float, float], dict[str, Coded], list[str]]:
    """Values of one truth on the scale that is stored."""
    scales = {p.header: _scale(target, p.header, options) for p in group}
    for part in group:
        values.check_decimal(table.cells[part.header], part.header, options.decimal)
    told = [scale for scale in dict.fromkeys(scales.values()) if scale]
    if len(told) > 1 and target not in _IN_UNIT:
        raise UserError(
            f"{table.name}: --scale gives {told[0]} and {told[1]} for one truth, "
            f"{target!r}; its columns need one scale"
        )
    stored = UNIT if target in _IN_UNIT or not told else told[0]
    coded = {
        header: _coded_values(table, header, scale or UNIT, options)
        for header, scale in scales.items()
    }
    _check_scale(table, target, scales, coded, options)
    known = [v for part in coded.values() for v in part.codes[np.isfinite(part.codes)]]
    found = f"{min(known):g}..{max(known):g}" if known else "none"
    coded = {
        header: dataclasses.replace(
            part, codes=values.rescaled(part.codes, scales[header] or UNIT, stored)
        )
        if (scales[header] or UNIT) != stored
        else part
        for header, part in coded.items()
    }
    used = dict.fromkeys(scale or UNIT for scale in scales.values())
    words = " and ".join(f"{low:g}..{high:g}" for low, high in used)
    as_stored = (
        f", stored in [{stored[0]:g}, {stored[1]:g}]" if [*used] != [stored] else ""
    )
    return stored, coded, [f"values of {target}: {words}{as_stored}, found {found}"]


def _scale(
    target: str, header: str, options: TableOptions
) -> tuple[float, float] | None:
    own = asked(options.scales, header)
    shared = asked(options.scales, target)
    return next(iter((*own, *shared)), None)


def _check_scale(
    table: Table,
    target: str,
    scales: Mapping[str, tuple[float, float] | None],
    coded: Mapping[str, Coded],
    options: TableOptions,
) -> None:
    """Raises BeyondScale or TwoScales where values without a scale need one."""
    unsaid = {h: coded[h] for h, scale in scales.items() if not scale}
    wrong = sum(len(part.faults) for part in unsaid.values())
    found = [v for p in unsaid.values() for v in p.codes[np.isfinite(p.codes)]]
    if wrong > _FEW * (wrong + len(found)):
        low, high = _extent(table, unsaid, options)
        raise BeyondScale(
            f"values of {target!r} go from {low:g} to {high:g}, beyond [-1, 1] "
            f"({_examples(table, unsaid)})",
            target,
            (low, high),
        )
    several = len(set(found)) >= _SEVERAL or {0.0, 1.0} <= set(found)
    if several and min(found) >= 0:
        raise TwoScales(
            f"values of {target!r} go from {min(found):g} to {max(found):g} and could "
            f"be of a scale from 0 to 1 or from -1 to 1; say --scale={target}=0:1 or "
            f"--scale={target}=-1:1"
        )


def all_beyond(table: Table, refused: list[BeyondScale]) -> UserError:
    """One refusal of all dimensions whose scale has to be told."""
    # One range for all: what people rated together, they rated on one scale.
    low = math.floor(min(error.extent[0] for error in refused))
    high = math.ceil(max(error.extent[1] for error in refused))
    found = "; ".join(error.found for error in refused)
    asked_for = " ".join(f"--scale={error.target}=LOW:HIGH" for error in refused)
    such_as = " ".join(f"--scale={error.target}={low}:{high}" for error in refused)
    return UserError(f"{table.name}: {found}; say {asked_for}, such as {such_as}")


def _coded_values(
    table: Table, header: str, scale: tuple[float, float], options: TableOptions
) -> Coded:
    faults: dict[int, tuple[str, str]] = {}

    @functools.cache
    def code(text: str) -> float | str:
        value = values.number(text, options.decimal)
        if value is not None and scale[0] <= value <= scale[1]:
            return value
        if is_missing(text, options):
            return np.nan
        if value is None:
            return f"{text[:40]!r} is no number"
        return f"{text[:40]} is outside [{scale[0]:g}, {scale[1]:g}]"

    found = []
    for row, text in enumerate(table.cells[header]):
        value = code(text)
        if isinstance(value, str):
            no_number = value.endswith("no number")
            reason = reasons.NOT_A_NUMBER if no_number else reasons.OUT_OF_RANGE
            faults[row], value = (reason, f"column {header!r}: {value}"), np.nan
        found.append(value)
    return Coded(np.array(found, np.float64), faults)


def _extent(
    table: Table, headers: Iterable[str], options: TableOptions
) -> tuple[float, float]:
    cells = pd.concat([table.cells[header] for header in headers]).unique()
    numbers = [values.number(text, options.decimal) for text in cells]
    known = [value for value in numbers if value is not None]
    return min(known, default=0.0), max(known, default=0.0)


def _examples(table: Table, coded: Mapping[str, Coded]) -> str:
    rows = [
        f"line {table.lines[row]}, {detail}"
        for part in coded.values()
        for row, (_, detail) in list(part.faults.items())[:3]
    ]
    return "; ".join(rows[:3])

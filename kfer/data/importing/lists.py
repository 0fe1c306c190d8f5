"""Cells that are lists: shares or votes, one for each class -> a column a class."""

import ast
import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from kfer.data import label_orders
from kfer.data.importing import class_lists
from kfer.data.importing import headers as headers_lib
from kfer.data.importing.options import TableOptions, asked, is_missing, plain
from kfer.data.importing.table import Table, cell_text
from kfer.errors import UserError

# Headers of a picture's votes or shares, whatever its classes.
SOFT = (
    *("votes", "shares", "labels", "soft_label", "soft_labels", "probabilities"),
    *("probs", "distribution"),
)
# Headers of values in their order.
_POINTS = {
    "valence_arousal": ("valence", "arousal"),
    "va": ("valence", "arousal"),
    "valence_arousal_dominance": ("valence", "arousal", "dominance"),
    "vad": ("valence", "arousal", "dominance"),
}
# A column of lists has them in at least this share of the cells that hold something.
_MOST = 0.5
# Different classes in lists of names.
_MANY = 1000
Row = list[Any] | None


def expanded(table: Table, options: TableOptions) -> Table:
    """The table with a column of lists as columns 'HEADER:CLASS' of numbers, and with
    points such as "valence_arousal": [0.1, 0.2] as a column a dimension.

    Lists of numbers are shares or votes of the classes that --classes or --order names;
    lists of names are votes for these, counted. In text they are [0.1, 0.9] or
    ['calm', 'tense'].

    Args:
      table: as read.
      options: classes, order, synonyms.

    Raises:
      UserError: there are two such columns, or the classes of numbers aren't known.
    """
    for header in [*table.lists]:
        if header not in options.ignore:
            table = _with_point(table, header, options)
    found = {
        header: rows
        for header in table.cells.columns
        if _may_be_soft(header, options) and (rows := _rows(table, header, options))
    }
    if len(found) > 1:
        raise UserError(
            f"{table.name}: {' and '.join(found)} are lists of votes or shares; kfer "
            "takes those of one column, --ignore the others"
        )
    for header, rows in found.items():
        return _expanded(table, header, rows, options)
    return table


def _with_point(table: Table, header: str, options: TableOptions) -> Table:
    """'ann:valence_arousal' as 'ann:valence' and 'ann:arousal'."""
    whose, mid, name = header.rpartition(":")
    names = _POINTS.get(plain(name), ())
    if not (names and (rows := _rows(table, header, options))):
        return table
    return _with_columns(
        table,
        header,
        {f"{whose}{mid}{part}": i for i, part in enumerate(names)},
        rows,
    )


def is_soft(header: str, options: TableOptions) -> bool:
    """Whether a header may be of shares or votes of classes."""
    of = plain(header).partition(":")[0]
    return of in (*headers_lib.CLASSES, *SOFT) or bool(
        asked(options.classes, header) or asked(dict.fromkeys(options.labels, 1), of)
    )


def truth_of(header: str) -> str:
    """The truth that a header names; '' of 'label' and the like."""
    of = plain(header).partition(":")[0]
    return "" if of in (*headers_lib.CLASSES, *SOFT) else of


def listed(header: str, options: TableOptions) -> tuple[str, ...] | None:
    """The classes of shares or votes in order, where the user or the header says.

    Args:
      header: without the class; 'expression:raf' names an order.
      options: classes, order.
    """
    if names := named(header, options):
        return names
    behind = plain(header).partition(":")[2]
    order = behind if behind in label_orders.ORDERS else options.order
    return label_orders.order(order).classes if order else None


def named(header: str, options: TableOptions) -> tuple[str, ...] | None:
    """The classes in order that --classes names; None where it doesn't."""
    given = asked(options.classes, header, plain(header).partition(":")[0])
    entries = given[0] if given else options.classes.get("")
    if not entries:
        return None
    parts = [class_lists.entry(text) for text in entries]
    if all(number for number, _ in parts):
        parts.sort(key=lambda part: int(part[0]))
        return class_lists.once(name for _, name in parts)
    return tuple(text.strip() for text in entries)


def _may_be_soft(header: str, options: TableOptions) -> bool:
    taken = (*options.ignore, *options.columns.values(), *options.annotators)
    return header not in taken and is_soft(header, options)


def _rows(table: Table, header: str, options: TableOptions) -> list[Row | str]:
    """A list for each row, None where the cell is empty, or its text where it is none;
    [] if the column is none of lists."""
    own, cells = table.lists.get(header), table.cells[header]
    if not own and not cells.str.contains("[", regex=False).any():
        return []
    found: list[Row | str] = []
    for row, text in enumerate(cells):
        value = own[row] if own else _of_text(text)
        if value is None and not is_missing(text, options):
            value = text
        found.append(value)
    lists = sum(isinstance(value, list) for value in found)
    return found if lists and lists >= _MOST * sum(v is not None for v in found) else []


def _of_text(text: str) -> Row:
    """[0.1, 0.9], ['a', 'b'] and NumPy's [0.1 0.9]; None of other text."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return [part.strip("'\"") for part in re.split(r"[,;\s]+", text[1:-1]) if part]


def _expanded(
    table: Table, header: str, rows: Sequence[Row | str], options: TableOptions
) -> Table:
    lists = [None if isinstance(value, str) else value for value in rows]
    if any(_is_word(part) for value in lists for part in value or ()):
        problems = _no_lists(header, rows)
        columns = _of_names(table, header, lists, options, problems)
        return _replaced(table, header, columns, problems)
    names = _of_numbers(table, header, lists, options)
    places = {f"{header}:{name}": i for i, name in enumerate(names)}
    return _with_columns(table, header, places, rows)


def _with_columns(
    table: Table, header: str, places: Mapping[str, int], rows: Sequence[Row | str]
) -> Table:
    """The table with the parts of lists of one length as columns."""
    width, problems = len(places), _no_lists(header, rows)
    whole: list[Sequence[Any]] = []
    for row, value in enumerate(rows):
        if isinstance(value, list) and value and len(value) != width:
            problems[row] = f"{header!r}: {len(value)} numbers, expected {width}"
        good = isinstance(value, list) and len(value) == width
        whole.append(value if good else [None] * width)
    columns = {
        name: pd.Series([cell_text(value[i]) for value in whole])
        for name, i in places.items()
    }
    return _replaced(table, header, columns, problems)


def _no_lists(header: str, rows: Sequence[Row | str]) -> dict[int, str]:
    return {
        row: f"{header!r}: {value[:40]!r} is no list"
        for row, value in enumerate(rows)
        if isinstance(value, str)
    }


def _replaced(
    table: Table,
    header: str,
    columns: Mapping[str, pd.Series],
    problems: Mapping[int, str],
) -> Table:
    cells = table.cells.drop(columns=header)
    if twice := [name for name in columns if name in cells.columns]:
        raise UserError(
            f"{table.name} has {header!r} as lists and the column {twice[0]!r}; "
            "--ignore one"
        )
    # What was wrong with the row before stays.
    known = dict(problems) | table.problems
    return dataclasses.replace(table, cells=cells.assign(**columns), problems=known)


def _is_word(part: Any) -> bool:
    return isinstance(part, str) and bool(part) and not re.match(r"[-+.\d]", part)


def _of_numbers(
    table: Table, header: str, rows: Sequence[Row], options: TableOptions
) -> tuple[str, ...]:
    """The classes of lists of numbers, in their order."""
    widths = Counter(len(value) for value in rows if value)
    width = widths.most_common(1)[0][0] if widths else 0
    names = listed(header, options)
    if names and len(names) == width:
        return names
    first = next((i for i, value in enumerate(rows) if len(value or ()) == width), 0)
    shown = cell_text(rows[first])[:40]
    said = f"{len(names)} classes are given" if names else "the order isn't known"
    raise UserError(
        f"{table.name}: {header!r} has lists of {width} numbers (line "
        f"{table.lines[first]}: {shown}), and {said}; say "
        f"--classes={header}=NAME,... with {width} names in their order, or "
        "--order=NAME of expressions"
    )


def _of_names(
    table: Table,
    header: str,
    rows: Sequence[Row],
    options: TableOptions,
    problems: dict[int, str],
) -> dict[str, pd.Series]:
    """How often each row names each class."""
    told = listed(header, options)
    key_of = {_key(name): name for name in told or ()}
    counts: list[Counter | None] = []
    for row, value in enumerate(rows):
        names = [] if value is None else [cell_text(part) for part in value]
        names = [_meant(n, options) for n in names if not is_missing(n, options)]
        keys = [_key(name) for name in names]
        if told and (odd := [name for name in names if _key(name) not in key_of]):
            detail = (
                f"{header!r}: {odd[0][:40]!r} is no class; known: {', '.join(told)}"
            )
            problems.setdefault(row, detail)
            keys = []
        counts.append(Counter(keys) if keys else None)
    found = {key for counted in counts for key in counted or ()}
    if not told and not 2 <= len(found) <= _MANY:
        raise UserError(
            f"{header!r} has lists of {len(found)} different names; classes are 2 to "
            f"{_MANY}. Name them with --classes={header}=NAME,NAME,..."
        )
    classes = key_of or {key: key for key in sorted(found)}
    return {
        f"{header}:{name}": pd.Series(
            ["" if counted is None else str(counted[key]) for counted in counts]
        )
        for key, name in classes.items()
    }


def _meant(name: str, options: TableOptions) -> str:
    wanted: Mapping[str, str] = {_key(k): v for k, v in options.synonyms.items()}
    return wanted.get(_key(name), name)


def _key(name: str) -> str:
    return label_orders.canonical(class_lists.folded(name))

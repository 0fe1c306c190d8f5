"""Ratings that stand in their picture's object -> a row each, as in a long table."""

import dataclasses
from typing import Any

import pandas as pd

from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import Table, cell_text, each_cell, lists_of, unique
from kfer.errors import UserError


def exploded(table: Table, options: TableOptions) -> Table:
    """The table with a row for each object in a column of lists of objects.

    {"image": "1.png", "ratings": [{"rater": "ann", "label": "calm"}, ...]} has the rows
    1.png, ann, calm and so on. An empty list leaves a picture without labels.

    Args:
      table: as read.
      options: columns to ignore.

    Raises:
      UserError: there are two such columns, or an object has a key that a column has.
    """
    found = [
        header
        for header, rows in table.lists.items()
        if header not in options.ignore and _has_objects(rows)
    ]
    if not found:
        return table
    if len(found) > 1:
        raise UserError(
            f"{table.name}: {' and '.join(found)} are lists of objects; kfer reads "
            "the ratings of one column, --ignore the others"
        )
    return _exploded(table, found[0])


def _has_objects(rows: list[list | None]) -> bool:
    return any(isinstance(part, dict) for row in rows for part in row or ())


def _exploded(table: Table, header: str) -> Table:
    origin: list[int] = []
    parts: list[Any] = []
    for row, value in enumerate(table.lists[header]):
        for part in value or [{}]:
            origin.append(row)
            parts.append(part)
    problems = {
        new: table.problems[old]
        for new, old in enumerate(origin)
        if old in table.problems
    }
    for row, part in enumerate(parts):
        if not isinstance(part, dict):
            problems[row] = f"{header!r}: {cell_text(part)[:40]!r} is no object"
            parts[row] = {}
    inner = pd.json_normalize(parts, sep=":")
    inner.columns = unique(table.name, inner.columns)
    outer = table.cells.drop(columns=header)
    if twice := [name for name in inner.columns if name in outer.columns]:
        raise UserError(
            f"{table.name} has {twice[0]!r} as a column and in {header!r}; --ignore "
            "the list, or rename one"
        )
    cells = outer.iloc[origin].reset_index(drop=True)
    kept = {h: r for h, r in table.lists.items() if h != header}
    return dataclasses.replace(
        table,
        cells=pd.concat([cells, each_cell(inner, cell_text)], axis=1),
        lines=[table.lines[row] for row in origin],
        problems=problems,
        lists={h: [r[row] for row in origin] for h, r in kept.items()}
        | lists_of(inner),
    )

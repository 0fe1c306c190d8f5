"""JSON, an object a line or an array of objects -> a table."""

import json
from collections.abc import Iterable
from typing import Any

import pandas as pd

from kfer.data.importing.table import Table, cell_text, each_cell, lists_of, unique
from kfer.errors import UserError


class _Twice(dict):
    """An object of which json keeps the last value of a key."""

    key = ""


def read(name: str, text: str) -> Table:
    """An array of objects, one object a line or a single one; inner ones become a:b.

    Args:
      name: of the file.
      text: of it.

    Raises:
      UserError: it is none of these, or a key stands there twice but for space.
      ValueError: it begins as an array and is none.
    """
    problems: dict[int, str] = {}
    if text.lstrip().startswith("["):
        rows, form = _loaded(text), "a JSON array"
        lines = list(range(1, len(rows) + 1))
    else:
        rows, lines = _of_lines(name, text, problems)
        form = "JSON lines" if lines else "a JSON object"
        problems = problems if lines else {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            problems[index] = f"a {type(row).__name__}, expected an object"
            rows[index] = {}
        elif key := _key_twice(row):
            problems[index] = f"it has the key {key!r} twice"
    cells = pd.json_normalize(rows, sep=":")
    cells.columns = unique(name, cells.columns)
    frame = each_cell(cells, cell_text)
    return Table(name, frame, lines or [1], form, "", problems, lists_of(cells))


def _of_lines(
    name: str, text: str, problems: dict[int, str]
) -> tuple[list[Any], list[int]]:
    """The objects and their lines; [] of one object that fills the file."""
    rows, lines = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            rows.append(_object(line, len(rows), problems))
            lines.append(number)
    if not rows or len(problems) < len(rows):
        return rows, lines
    try:
        return [_loaded(text)], []
    except (ValueError, RecursionError):
        raise UserError(
            f"{name} is neither a JSON array nor an object a line: line {lines[0]} is "
            f"{problems[0]}"
        ) from None


def _object(line: str, row: int, problems: dict[int, str]) -> Any:
    try:
        return _loaded(line)
    except (ValueError, RecursionError) as error:
        problems[row] = f"no JSON: {error}"
        return {}


def _loaded(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_of_pairs)


def _of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        found = _Twice(found)
        found.key = next(name for name in names if names.count(name) > 1)
    return found


def _key_twice(value: Any) -> str:
    """A key that an object or one inside it has twice, or ''."""
    if isinstance(value, _Twice):
        return value.key
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else ()
    inner = value if isinstance(value, list) else inner
    return next(filter(None, map(_key_twice, inner)), "")

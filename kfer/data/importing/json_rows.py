"""JSON, an object a line or an array of objects -> a table."""

import json
from typing import Any

import pandas as pd

from kfer.data.importing.table import Table, cell_text, each_cell, lists_of, unique


def read(name: str, text: str) -> Table:
    """An array of objects, or one object a line; inner objects become a:b."""
    problems: dict[int, str] = {}
    rows, lines = [], []
    if text.lstrip().startswith("["):
        rows = json.loads(text)
        lines = list(range(1, len(rows) + 1))
        form = "a JSON array"
    else:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                rows.append(_object(line, len(rows), problems))
                lines.append(number)
        form = "JSON lines"
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            problems[index] = f"a {type(row).__name__}, expected an object"
            rows[index] = {}
    cells = pd.json_normalize(rows, sep=":")
    cells.columns = unique(name, cells.columns)
    frame = each_cell(cells, cell_text)
    return Table(name, frame, lines, form, "", problems, lists_of(cells))


def _object(line: str, row: int, problems: dict[int, str]) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        problems[row] = f"no JSON: {error}"
        return {}

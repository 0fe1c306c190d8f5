"""Rows of text cells with their line numbers, as all readers give them."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kfer.errors import UserError

# Spaces without a width and marks of byte order. Joiners are parts of words.
_INVISIBLE = re.compile("[\u200b\u2060\ufeff]")
# under the name before pandas 2.1, where there is no other
each_cell = getattr(pd.DataFrame, "map", None) or pd.DataFrame.applymap


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of a file.

    Attributes:
      name: of the file.
      cells: text by header; '' where there is none.
      lines: of each row in the file, from 1.
      form: what was found, in words.
      delimiter: of cells, or ''.
      problems: row -> what is wrong with it as a whole.
      lists: header -> the list of each row, None where its cell is none; of JSON and
        Parquet, in whose cells the parts stand with semicolons.
      remarks: sentences on what may not be meant.
    """

    name: str
    cells: pd.DataFrame
    lines: Sequence[int]
    form: str
    delimiter: str = ""
    problems: dict[int, str] = dataclasses.field(default_factory=dict)
    lists: dict[str, list[list | None]] = dataclasses.field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def source(self, row: int) -> str:
        """'file:line' of a row."""
        return f"{self.name}:{self.lines[row]}"


def without_invisible(text: str) -> str:
    """Text without letters of no width, which nobody means."""
    return _INVISIBLE.sub("", text)


def unique(name: str, header: Sequence[Any]) -> list[str]:
    """The headers without space around them.

    Raises:
      UserError: one stands there twice.
    """
    names = [without_invisible(str(part)).strip() for part in header]
    twice = sorted({part for part in names if names.count(part) > 1})
    if twice:
        raise UserError(f"{name} has the column {twice[0]!r} twice")
    return names


def of_frame(name: str, frame: pd.DataFrame, form: str, first: int = 2) -> Table:
    """A table that has its header already, blank rows left out.

    Args:
      name: of the file.
      frame: its rows.
      form: what was found, in words.
      first: line of the first row.

    Raises:
      UserError: a header stands there twice.
    """
    cells = each_cell(frame.reset_index(drop=True), cell_text)
    cells.columns = unique(name, list(cells.columns))
    keep = ~(cells == "").all(axis=1)
    lines = [i + first for i, kept in enumerate(keep) if kept]
    lists = lists_of(frame[keep.to_numpy()])
    return Table(name, cells[keep].reset_index(drop=True), lines, form, lists=lists)


def lists_of(frame: pd.DataFrame) -> dict[str, list[list | None]]:
    """Table.lists of a frame of objects as they were read."""
    found = {}
    for header, cells in frame.items():
        rows = [v.tolist() if isinstance(v, np.ndarray) else v for v in cells]
        if any(isinstance(value, list) for value in rows):
            found[str(header).strip()] = [
                value if isinstance(value, list) else None for value in rows
            ]
    return found


def cell_text(value: Any) -> str:
    """A value as text; '' of what is none."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list):
        return ";".join(map(cell_text, value))
    if isinstance(value, float) and value != value:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)

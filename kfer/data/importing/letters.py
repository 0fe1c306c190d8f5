"""Letters of a table's cells that are none: NULs and halves of surrogate pairs."""

import dataclasses
import re
from typing import Any

import pandas as pd

# pandas compares texts up to their first NUL, and no file can hold half of a pair.
_WORDS = {"\0": "a NUL, which is no character"}
_HALF = "half of a surrogate pair, which is no character"
_BROKEN = re.compile("[\0\ud800-\udfff]")


def broken(cells: pd.DataFrame) -> dict[int, str]:
    """Row -> what is wrong with a letter of it, for rows that have such a letter."""
    found: dict[int, str] = {}
    for header in cells.columns:
        texts = cells[header].tolist()
        if not _BROKEN.search("".join(texts)):
            continue
        for row, text in enumerate(texts):
            if letter := _BROKEN.search(text):
                found.setdefault(row, _WORDS.get(letter[0], _HALF))
    return found


def replaced(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with U+FFFD, the replacement character, for those letters."""
    return cells.apply(lambda column: [_BROKEN.sub("�", text) for text in column])


def whole(table: Any) -> Any:
    """The table (table.Table) with its rows of such letters told as problems."""
    if not (found := broken(table.cells)):
        return table
    lists = {
        header: [None if row in found else part for row, part in enumerate(parts)]
        for header, parts in table.lists.items()
    }
    return dataclasses.replace(
        table,
        cells=replaced(table.cells),
        problems=found | table.problems,
        lists=lists,
    )

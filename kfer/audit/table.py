"""A table of text."""

from typing import NamedTuple


class Table(NamedTuple):
    """A table; the first cell of a row names it."""

    title: str
    heads: list[str]
    rows: list[list[str]]

"""Text files of cells that commas, semicolons, tabs or bars part -> a table."""

import csv
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import Table, unique
from kfer.errors import UserError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Bytes that a text file begins with, the longest first.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Lines before the header that hold nothing, and the one that names the delimiter.
_BLANK = re.compile(r'(?:(?:""|[\s,;|])*\n)?')
# A cell that is one quoted text with space before it.
_QUOTED = r'^\s+"([^"]*)"\s*$'
# A row is odd that goes on for more lines, or over so many that look like rows.
_LINES, _ROWS = 20, 2
_SHOWN = 3
_SEP = re.compile(r'"?sep=(.)"?\n')


def decoded(path: str, options: TableOptions) -> tuple[str, str]:
    """The file's text with plain line ends, and its encoding.

    Raises:
      UserError: it isn't of that encoding.
    """
    with open(path, "rb") as file:
        data = file.read()
    encoding = options.encoding or _encoding(data)
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise UserError(
            f"{path} is no {encoding} text ({error}); name its --encoding, such as "
            "cp1252"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    # Without a mark: in UTF-16 every other byte of plain letters is zero.
    head = data[:2000]
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    return "utf-8"


def read(name: str, text: str, encoding: str, options: TableOptions) -> Table:
    """The table of a text.

    Args:
      name: of the file.
      text: of it, with plain line ends.
      encoding: that it had.
      options: delimiter.

    Raises:
      UserError: what parts its cells can't be told, or a header stands there twice.
    """
    delimiter, start = options.delimiter, _BLANK.match(text).end()
    if match := _SEP.match(text, start):
        delimiter = delimiter or match[1]
        start = _BLANK.match(text, match.end()).end()
    first, text = text.count("\n", 0, start) + 1, text[start:]
    delimiter = delimiter or _delimiter(name, text)
    how = {
        "sep": delimiter,
        "dtype": str,
        "keep_default_na": False,
        "na_filter": False,
        "engine": "python",
        "header": None,
        "index_col": False,
    }
    try:
        header, cells = _cells(text, how)
    except pd.errors.ParserError as error:
        raise UserError(_broken_off(name, text, first, delimiter, error)) from error
    shown = DELIMITERS.get(delimiter, repr(delimiter))
    form = f"{encoding.removesuffix('-sig')} text with {shown}"
    return _finished(name, header, cells, first, form, delimiter)


def _cells(text: str, how: dict[str, Any]) -> tuple[list[str], pd.DataFrame]:
    """The header, and all rows with a column more for cells that are too many."""
    first = pd.read_csv(io.StringIO(text), nrows=1, **how)
    header = first.replace(_QUOTED, r"\1", regex=True).iloc[0].tolist()
    while len(header) > 1 and not str(header[-1]).strip():
        header.pop()  # a delimiter at the end of each line
    names = [*range(len(header) + 1)]
    with warnings.catch_warnings():
        # Cells beyond the one that is too many are not needed to tell the row is bad.
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        return header, pd.read_csv(
            io.StringIO(text), names=names, skip_blank_lines=False, **how
        )


def _broken_off(
    name: str, text: str, first: int, delimiter: str, error: Exception
) -> str:
    """Where a row begins that can't be parted into cells, and what to do."""
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    line = 0
    try:
        for _ in rows:
            line = rows.line_num
    except csv.Error:
        pass
    return (
        f"{name}:{first + line}: a quote in this row isn't closed, or stands inside a "
        f"cell ({error}); take it out, or write it twice in a cell between quotes"
    )


def _finished(
    name: str,
    header: list[str],
    cells: pd.DataFrame,
    first: int,
    form: str,
    delimiter: str,
) -> Table:
    """The rows with their lines; blank ones go, those of another width are told."""
    # Quoted line breaks make a row longer than a line.
    breaks = cells.apply(lambda c: c.astype(str).str.count("\n")).sum(axis=1)
    lines = ((breaks + 1).cumsum() - breaks - 1 + first).astype(int)
    counts = cells.notna().sum(axis=1)
    blank = (cells.fillna("") == "").all(axis=1)
    blank.iloc[0] = True  # the header
    width = len(header)
    too_long = cells[width].fillna("").str.strip() != ""
    wrong = too_long | (counts < width)
    cells, lines, wrong, counts = (p[~blank] for p in (cells, lines, wrong, counts))
    problems = {
        row: f"{'more than ' * (count > width)}{min(count, width)} cells, "
        f"expected {width}"
        for row, (bad, count) in enumerate(zip(wrong, counts, strict=True))
        if bad
    }
    long = (breaks > 0)[~blank]
    if problems and len(problems) == len(cells):
        raise UserError(_all_wrong(name, header, cells, lines.tolist()))
    remarks = _swallowed(name, cells[long], lines[long], delimiter)
    cells = cells.iloc[:, :width].fillna("").reset_index(drop=True)
    # After a space a quote is text to a reader of CSV, and may stand alone in it.
    cells = cells.replace(_QUOTED, r"\1", regex=True)
    cells.columns = unique(name, header)
    return Table(
        name, cells, lines.tolist(), form, delimiter, problems, remarks=remarks
    )


def _all_wrong(
    name: str, header: Sequence[str], cells: pd.DataFrame, lines: Sequence[int]
) -> str:
    """That no row is as wide as the header."""
    width, count = len(header), int(cells.iloc[0].notna().sum())
    got = f"{count} or more" if count > width else str(count)
    return (
        f"{name}:{lines[0]}: expected {width} cells, as the header has "
        f"({', '.join(header)}), got {got}, and so in every row; give each column a "
        "name"
    )


def _swallowed(
    name: str, cells: pd.DataFrame, lines: Sequence[int], delimiter: str
) -> tuple[str, ...]:
    """That cells go on over lines that look like rows, as after a stray quote."""
    found = []
    width = cells.shape[1] - 1
    for line, row in zip(lines, cells.itertuples(index=False), strict=True):
        texts = [text for text in row if isinstance(text, str)]
        inner = [part for text in texts for part in text.split("\n")[1:]]
        alike = sum(part.count(delimiter) == width - 1 for part in inner)
        if len(inner) > _LINES or (alike >= _ROWS and width > 2):
            found.append(
                f"{name}:{line} goes on for {len(inner) + 1} lines, which count as one "
                "row: is one of its quotes stray?"
            )
    return tuple(found[:_SHOWN])


def _delimiter(name: str, text: str) -> str:
    """What parts the header's cells; of several candidates the one rows agree on.

    Raises:
      UserError: two candidates are as good.
    """
    lines = [re.sub(r'"[^"]*"', "", line) for line in text.split("\n")[:50] if line]
    if not lines:
        raise UserError(f"{name} is empty: it has no header")
    found = {}
    for candidate in DELIMITERS:
        count = lines[0].count(candidate)
        if count:
            alike = sum(line.count(candidate) == count for line in lines)
            found[candidate] = (alike / len(lines), count)
    if not found:
        return ","
    best = max(found.values())
    winners = [key for key, score in found.items() if score == best]
    if len(winners) > 1:
        names = " or ".join(DELIMITERS[key] for key in winners)
        raise UserError(f"{name} could be parted by {names}; name the --delimiter")
    return winners[0]

"""A file of rows, whatever wrote it, as text cells with their line numbers."""

import dataclasses
import io
import json
import os
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kfer.data.importing import letters, parquet
from kfer.data.importing.options import TableOptions
from kfer.errors import UserError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# Bytes that a text file begins with, the longest first.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
_LONGEST = 300  # letters of a reason that are shown
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
    """

    name: str
    cells: pd.DataFrame
    lines: Sequence[int]
    form: str
    delimiter: str = ""
    problems: dict[int, str] = dataclasses.field(default_factory=dict)
    lists: dict[str, list[list | None]] = dataclasses.field(default_factory=dict)

    def source(self, row: int) -> str:
        """'file:line' of a row."""
        return f"{self.name}:{self.lines[row]}"


def read(path: str, options: TableOptions) -> Table:
    """Reads CSV and its kin, JSON (lines or an array), Parquet or a spreadsheet.

    Raises:
      UserError: the file can't be read, is of no known kind, or has no rows or no
        header.
    """
    name, kind = os.path.basename(path), os.path.splitext(path)[1].lower()
    try:
        if kind == ".parquet":
            table = _of_frame(name, parquet.read(path), "Parquet")
        elif kind in _SHEETS:
            table = _spreadsheet(path, name, options)
        elif kind in (".json", ".jsonl", ".ndjson"):
            table = _of_json(name, _text(path, options)[0])
        else:
            table = _of_text(name, *_text(path, options), options)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror or error}") from error
    except ImportError as error:
        raise UserError(f"{path} needs a package to be read: {error}") from error
    except UserError:
        raise
    except pd.errors.EmptyDataError:
        raise UserError(f"{path} has no header") from None
    except Exception as error:
        # pandas and what it calls for a spreadsheet raise whatever they stumble over.
        reason = f"{type(error).__name__}: {error}".splitlines()[0][:_LONGEST]
        raise UserError(
            f"{path} can't be read as {kind or 'text'}: {reason}"
        ) from error
    if not len(table.cells):
        raise UserError(f"{path} has no rows below its header")
    return letters.whole(table)


def _text(path: str, options: TableOptions) -> tuple[str, str]:
    """The file's text with plain line ends, and its encoding."""
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


def _of_text(name: str, text: str, encoding: str, options: TableOptions) -> Table:
    first = 1
    delimiter = options.delimiter
    if match := re.match(r'"?sep=(.)"?\n', text):
        delimiter, text, first = delimiter or match[1], text[match.end() :], 2
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
    header = pd.read_csv(io.StringIO(text), nrows=1, **how).iloc[0].tolist()
    while len(header) > 1 and not str(header[-1]).strip():
        header.pop()  # a delimiter at the end of each line
    with warnings.catch_warnings():
        # Cells beyond the one that is too many are not needed to tell the row is bad.
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        cells = pd.read_csv(
            io.StringIO(text),
            names=[*range(len(header) + 1)],
            skip_blank_lines=False,
            **how,
        )
    shown = DELIMITERS.get(delimiter, repr(delimiter))
    form = f"{encoding.removesuffix('-sig')} text with {shown}"
    return _finished(name, header, cells, first, form, delimiter)


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
    cells = cells.iloc[:, :width].fillna("").reset_index(drop=True)
    cells.columns = _unique(name, header)
    return Table(name, cells, lines.tolist(), form, delimiter, problems)


def _unique(name: str, header: Sequence[Any]) -> list[str]:
    names = [str(part).strip() for part in header]
    twice = sorted({part for part in names if names.count(part) > 1})
    if twice:
        raise UserError(f"{name} has the column {twice[0]!r} twice")
    return names


def _delimiter(name: str, text: str) -> str:
    """What parts the header's cells; of several candidates the one rows agree on.

    Raises:
      UserError: two candidates are as good.
    """
    lines = [re.sub(r'"[^"]*"', "", line) for line in text.split("\n")[:50] if line]
    if not lines:
        raise UserError(f"{name} is empty")
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


def _of_json(name: str, text: str) -> Table:
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
    frame = each_cell(cells, cell_text)
    return Table(name, frame, lines, form, "", problems, lists_of(cells))


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


def _object(line: str, row: int, problems: dict[int, str]) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        problems[row] = f"no JSON: {error}"
        return {}


def cell_text(value: Any) -> str:
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


def _spreadsheet(path: str, name: str, options: TableOptions) -> Table:
    with pd.ExcelFile(path) as book:
        sheets = book.sheet_names
        if not options.sheet and len(sheets) > 1:
            raise UserError(f"{name} has the sheets {sheets}; name the --sheet")
        if options.sheet and options.sheet not in sheets:
            raise UserError(f"{name} has no sheet {options.sheet!r}, only {sheets}")
        sheet = options.sheet or sheets[0]
        frame = book.parse(sheet, dtype=object, keep_default_na=False)
    return _of_frame(name, frame, f"the sheet {sheet!r} of a spreadsheet")


def _of_frame(name: str, frame: pd.DataFrame, form: str) -> Table:
    cells = each_cell(frame.reset_index(drop=True), cell_text)
    cells.columns = _unique(name, list(cells.columns))
    keep = ~(cells == "").all(axis=1)
    lines = [i + 2 for i, kept in enumerate(keep) if kept]
    lists = lists_of(frame[keep.to_numpy()])
    return Table(name, cells[keep].reset_index(drop=True), lines, form, lists=lists)

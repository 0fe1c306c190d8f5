"""A sheet of a spreadsheet -> a table."""

import pandas as pd

from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import (
    Table,
    cell_text,
    each_cell,
    of_frame,
    without_invisible,
)
from kfer.errors import UserError


def read(path: str, name: str, options: TableOptions) -> Table:
    """The table of a spreadsheet's sheet.

    Args:
      path: of the file.
      name: that is shown.
      options: sheet, ignore.

    Raises:
      UserError: there are several sheets, or none of that name, or a header is missing,
        or stands there twice and isn't ignored.
    """
    with pd.ExcelFile(path) as book:
        sheets = book.sheet_names
        if not options.sheet and len(sheets) > 1:
            raise UserError(f"{name} has the sheets {sheets}; name the --sheet")
        if options.sheet and options.sheet not in sheets:
            raise UserError(f"{name} has no sheet {options.sheet!r}, only {sheets}")
        sheet = options.sheet or sheets[0]
        # pandas' own header would tell a name that stands twice by a number behind it.
        frame = book.parse(sheet, header=None, dtype=object, keep_default_na=False)
    form = f"the sheet {sheet!r} of a spreadsheet"
    return _with_header(name, frame, form, options)


def _with_header(
    name: str, frame: pd.DataFrame, form: str, options: TableOptions
) -> Table:
    """The rows below the first that holds something, which is the header."""
    texts = each_cell(frame, cell_text)
    held = (texts != "").any(axis=1)
    if not held.any():
        raise UserError(f"{name} has no header")
    first = int(held.to_numpy().argmax())
    used = (texts != "").any(axis=0)
    frame, texts = frame.loc[first:, used], texts.loc[first, used]
    headers = {i: without_invisible(text).strip() for i, text in texts.items()}
    frame.columns = [text or f"Unnamed: {i}" for i, text in headers.items()]
    twice = frame.columns.duplicated()
    for header in frame.columns[twice]:
        if header not in options.ignore:
            raise UserError(
                f"{name} has the column {header!r} twice; rename one, or leave both "
                f"out with --ignore={header}"
            )
    return of_frame(name, frame.loc[:, ~twice].iloc[1:], form, first + 2)

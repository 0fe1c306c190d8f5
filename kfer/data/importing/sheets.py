"""A sheet of a spreadsheet -> a table."""

import pandas as pd

from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import Table, of_frame
from kfer.errors import UserError


def read(path: str, name: str, options: TableOptions) -> Table:
    """The table of a spreadsheet's sheet.

    Args:
      path: of the file.
      name: that is shown.
      options: sheet.

    Raises:
      UserError: there are several sheets, or none of that name.
    """
    with pd.ExcelFile(path) as book:
        sheets = book.sheet_names
        if not options.sheet and len(sheets) > 1:
            raise UserError(f"{name} has the sheets {sheets}; name the --sheet")
        if options.sheet and options.sheet not in sheets:
            raise UserError(f"{name} has no sheet {options.sheet!r}, only {sheets}")
        sheet = options.sheet or sheets[0]
        frame = book.parse(sheet, dtype=object, keep_default_na=False)
    return of_frame(name, frame, f"the sheet {sheet!r} of a spreadsheet")

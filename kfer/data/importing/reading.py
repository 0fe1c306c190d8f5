"""A file of rows, whatever wrote it, as text cells with their line numbers."""

import os

import pandas as pd

from kfer.data.importing import json_rows, letters, parquet, sheets, texts
from kfer.data.importing.options import TableOptions
from kfer.data.importing.table import Table, of_frame
from kfer.errors import UserError

SHEETS = (".xlsx", ".xlsm", ".xls", ".ods")
JSONS = (".json", ".jsonl", ".ndjson")
_LONGEST = 300  # letters of a reason that are shown


def read(path: str, options: TableOptions) -> Table:
    """Reads CSV and its kin, JSON (lines or an array), Parquet or a spreadsheet.

    Raises:
      UserError: the file can't be read, is of no known kind, or has no header or no
        row that can be read.
    """
    name, kind = os.path.basename(path), os.path.splitext(path)[1].lower()
    try:
        if kind == ".parquet":
            table = of_frame(name, parquet.read(path), "Parquet")
        elif kind in SHEETS:
            table = sheets.read(path, name, options)
        elif kind in JSONS:
            table = json_rows.read(name, texts.decoded(path, options)[0])
        else:
            table = texts.read(name, *texts.decoded(path, options), options)
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
    if len(table.problems) == len(table.cells):
        raise UserError(
            f"{path} has no row that can be read; {table.source(0)}: "
            f"{table.problems[0]}"
        )
    return letters.whole(table)

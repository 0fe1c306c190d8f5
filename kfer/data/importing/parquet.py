"""Parquet files of strangers, read in a process of their own.

pyarrow's C++ can end its process at a broken file, which no `except` sees. So a child
reads the file, checks every offset and text of it, and hands it over in Arrow's own
format, which is mapped as it is.

`python -m kfer.data.importing.parquet PARQUET OUT` is the child.
"""

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from kfer.errors import UserError

if TYPE_CHECKING:  # half a second of the child's time
    import pandas as pd

SECONDS = 600
_REFUSED = 3


def read(path: str) -> "pd.DataFrame":
    """What pandas.read_parquet gives.

    Raises:
      UserError: the file can't be read, whatever happens to who reads it.
    """
    from pyarrow import feather

    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "table.arrow")
        words = [sys.executable, "-m", __name__, path, out]
        try:
            done = subprocess.run(
                words, capture_output=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(
                f"{path} can't be read as Parquet in {SECONDS} s; is it whole?"
            ) from error
        if done.returncode:
            raise UserError(f"{path} can't be read as Parquet: {_reason(done)}")
        return feather.read_table(out, memory_map=False).to_pandas()


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode == _REFUSED:
        return done.stderr.decode(errors="replace").strip().splitlines()[-1]
    return f"its reader ended with status {done.returncode}; the file is damaged"


def _convert(path: str, out: str) -> None:
    from pyarrow import feather, parquet

    table = parquet.read_table(path)
    table.validate(full=True)
    feather.write_feather(table, out, compression="uncompressed")


if __name__ == "__main__":
    try:
        _convert(*sys.argv[1:])
    except Exception as error:  # pyarrow raises whatever it stumbles over
        text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        print(text, file=sys.stderr)
        sys.exit(_REFUSED)

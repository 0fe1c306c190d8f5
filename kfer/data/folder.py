"""The folder of a data set: what marks it, and whether it may be replaced."""

import os
from contextlib import AbstractContextManager

from kfer.errors import UserError
from kfer.storage import whole

MANIFEST = "dataset.json"


def check_target(out_dir: str, overwrite: bool = False) -> None:
    """Raises UserError if `out_dir` can't become a new data set."""
    if os.path.exists(out_dir) and not os.path.isdir(out_dir):
        raise UserError(f"{out_dir} is a file; name a folder that doesn't exist yet")
    if not os.path.isdir(out_dir) or not os.listdir(out_dir):
        return
    if not os.path.exists(os.path.join(out_dir, MANIFEST)):
        raise UserError(
            f"{out_dir} holds files that are no data set (no {MANIFEST}); name a "
            "folder that is empty or doesn't exist yet"
        )
    if not overwrite:
        raise UserError(
            f"{out_dir} already holds a data set; name another folder or allow it to "
            "be replaced with --overwrite (from Python, overwrite=True)"
        )


def new_folder(out_dir: str, overwrite: bool = False) -> AbstractContextManager[str]:
    """A folder beside `out_dir` that takes its place when the block ends well.

    Args:
      out_dir: must not exist or be empty, unless `overwrite`.
      overwrite: an older data set there is replaced, once the new one is complete.

    Raises:
      UserError: the place is taken, or the disk refused (full, read-only).
    """
    return whole.new_folder(out_dir, lambda: check_target(out_dir, overwrite))

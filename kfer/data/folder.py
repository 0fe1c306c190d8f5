"""A folder that takes its place whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator

from absl import logging

from kfer.errors import UserError

MANIFEST = "dataset.json"


def sync(path: str) -> None:
    """Waits until a file's or folder's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
            "be replaced with --overwrite"
        )


@contextlib.contextmanager
def new_folder(out_dir: str, overwrite: bool = False) -> Iterator[str]:
    """A folder beside `out_dir` that takes its place when the block ends well.

    Args:
      out_dir: must not exist or be empty, unless `overwrite`.
      overwrite: an older data set there is replaced, once the new one is complete.

    Raises:
      UserError: the place is taken, or the disk refused (full, read-only).
    """
    import tensorflow as tf

    out_dir = os.path.abspath(out_dir)
    check_target(out_dir, overwrite)
    parent, base = os.path.split(out_dir)
    folder = ""
    try:
        os.makedirs(parent, exist_ok=True)
        _warn_of_leftovers(parent, base)
        folder = tempfile.mkdtemp(prefix=f".{base}.partial-", dir=parent)
        os.chmod(folder, 0o755)
        yield folder
        sync(folder)
        _move(folder, out_dir, overwrite)
    except (OSError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"Writing {out_dir} failed: {reason}; nothing was kept. Free space or "
            "choose another folder, then run the same command again"
        ) from error
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _warn_of_leftovers(parent: str, base: str) -> None:
    left = [name for name in os.listdir(parent) if name.startswith(f".{base}.partial-")]
    if left:
        logging.warning(
            "%s holds %s of a run that was killed or still goes on; delete it if not",
            parent,
            ", ".join(sorted(left)),
        )


def _move(folder: str, out_dir: str, overwrite: bool) -> None:
    check_target(out_dir, overwrite)
    old = ""
    if os.path.exists(os.path.join(out_dir, MANIFEST)):
        old = folder + ".old"
        os.rename(out_dir, old)
    try:
        os.rename(folder, out_dir)
    except OSError:
        if old:
            os.rename(old, out_dir)
        raise
    sync(os.path.dirname(out_dir))
    if old:
        shutil.rmtree(old)


def write_lines(path: str, lines: Iterable[str]) -> None:
    """Writes a text file and waits until it is on the disk."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())

"""Files and folders that are there whole or not at all; one line if the disk refuses.

Each is written beside its place, brought to the disk and renamed. Renaming within a
folder is atomic on a local file system, so a reader, or a run after a kill, finds the
old content or the new one, and two writers don't mix theirs.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from absl import logging

from kfer.errors import UserError


@contextlib.contextmanager
def disk(place: str) -> Iterator[None]:
    """What the disk refuses in the block becomes one line.

    Args:
      place: file or folder that the user knows, for the message.

    Raises:
      UserError: full, read-only, not allowed, no folder: the disk refused, through
        Python or TensorFlow.
    """
    try:
        yield
    except _refusals() as error:
        raise UserError(
            f"Can't write to {place}: {_reason(error, place)}; what was there is as it "
            "was. Free space or choose another place, then run the same command again"
        ) from error


def _refusals() -> tuple[type[Exception], ...]:
    # TensorFlow isn't loaded for this; where it isn't, it can't have raised.
    if tensorflow := sys.modules.get("tensorflow"):
        return OSError, tensorflow.errors.OpError
    return (OSError,)


def _reason(error: Exception, place: str) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    name = os.path.abspath(os.fsdecode(getattr(error, "filename", None) or place))
    # The place's own name stands in the message, and a file beside it is our own.
    beside = name.startswith(os.path.dirname(os.path.abspath(place)))
    return text.splitlines()[0] + ("" if beside else f" ({name})")


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name was being written when a run was killed."""
    return name.startswith(".") and ".partial-" in name


@contextlib.contextmanager
def beside(path: str) -> Iterator[str]:
    """A name beside `path` for a file that takes its place when the block ends well.

    Args:
      path: of the file; its folder is there.

    Raises:
      OSError: the disk refused; what was at `path` is as it was.
    """
    parent, base = os.path.split(os.path.abspath(path))
    partial = os.path.join(parent, f".{base}.partial-{uuid.uuid4().hex}")
    try:
        yield partial
        sync(partial)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(partial)
        raise


@contextlib.contextmanager
def writing(path: str) -> Iterator[IO[bytes]]:
    """A binary file that is at `path` when the block ends well.

    Args:
      path: of the file; its folder is made if it isn't there.

    Raises:
      UserError: the disk refused; what was at `path` is as it was.
    """
    with disk(path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with beside(path) as partial, open(partial, "xb") as file:
            yield file


def write_bytes(path: str, content: bytes) -> None:
    """A file of these bytes, see writing."""
    with writing(path) as file:
        file.write(content)


def write_text(path: str, text: str) -> None:
    """A file of this text in UTF-8, see writing."""
    write_bytes(path, text.encode())


def write_json(path: str, content: Any) -> None:
    """A JSON file, see writing.

    Raises:
      TypeError: `content` is no JSON; nothing is written.
    """
    write_text(path, json.dumps(content, indent=1) + "\n")


def appending(path: str) -> IO[bytes]:
    """A file to add to, such as a log: never replaced, so not whole after a kill.

    Raises:
      UserError: the disk refused to open it.
    """
    with disk(path):
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        return open(path, "ab")


@contextlib.contextmanager
def new_folder(out_dir: str, check: Callable[[], None]) -> Iterator[str]:
    """A folder beside `out_dir` that takes its place when the block ends well.

    Args:
      out_dir: whose place it takes.
      check: raises UserError where `out_dir` may not be replaced; called before the
        block and again after it, since others may have come meanwhile.

    Raises:
      UserError: the place is taken, or the disk refused, in the block too; what was at
        `out_dir` is as it was.
    """
    check()
    parent, base = os.path.split(os.path.abspath(out_dir))
    folder = ""
    with disk(out_dir):
        try:
            os.makedirs(parent, exist_ok=True)
            _warn_of_leftovers(parent, base)
            folder = tempfile.mkdtemp(prefix=f".{base}.partial-", dir=parent)
            os.chmod(folder, 0o755)
            yield folder
            sync(folder)
            check()
            _move(folder, os.path.join(parent, base))
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


def _move(folder: str, out_dir: str) -> None:
    """Renames a folder to one that is missing, empty or may be replaced."""
    old = folder + ".old"
    if os.path.isdir(out_dir):
        os.rename(out_dir, old)
    try:
        os.rename(folder, out_dir)
    except OSError:
        if os.path.isdir(old):
            os.rename(old, out_dir)
        raise
    sync(os.path.dirname(out_dir))
    shutil.rmtree(old, ignore_errors=True)


def write_lines(path: str, lines: Iterable[str]) -> None:
    """A text file inside a new_folder, with which it takes its place."""
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


def sync(path: str) -> None:
    """Waits until a file's or folder's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_all(folder: str) -> int:
    """Waits until a folder's files are on the disk; returns their bytes."""
    size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            sync(path)
            size += os.path.getsize(path)
        sync(root)
    return size

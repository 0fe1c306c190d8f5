"""Faults of Beam's workers, of which the driver gets no more than the text."""

import contextlib
import errno
import logging
import os
import re
from collections.abc import Iterator

from kfer.errors import UserError

_OF_THE_DISK = re.compile(r"OSError: \[Errno (\d+)\]")
# TensorFlow's writer says it in words alone.
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO)


@contextlib.contextmanager
def told(work: str) -> Iterator[None]:
    """Turns what workers say of files into what this process would say.

    Args:
      work: the folder that workers read and write.

    Raises:
      UserError: workers don't see `work`.
      OSError: the disk refused a worker; raised again, so that it becomes one line as
        what it refuses this process does.
    """
    handlers = logging.getLogger().handlers
    for handler in handlers:
        handler.addFilter(_is_no_refusal)
    try:
        yield
    except Exception as error:
        if f"No such file or directory: '{work}" in str(error):
            raise UserError(unreached(work)) from error
        if number := _refusal(f"{_name(error)}: {error}"):
            raise OSError(number, os.strerror(number)) from error
        raise
    finally:
        for handler in handlers:
            handler.removeFilter(_is_no_refusal)


def _name(error: Exception) -> str:
    return f"{type(error).__module__}.{type(error).__name__}"


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """Whether Beam logs something else than what becomes one line at the end."""
    error = record.exc_info[1] if record.exc_info else None
    return not _refusal(f"{record.getMessage()} {type(error).__name__}: {error}")


def _refusal(text: str) -> int:
    """The number of what a disk said, 0 if none did."""
    if found := _OF_THE_DISK.search(text):
        return int(found[1])
    if "errors_impl." not in text:
        return 0
    return next((n for n in _REFUSALS if f"; {os.strerror(n)}" in text), 0)


def unreached(folder: str) -> str:
    """That workers have another folder of this name, and what to do."""
    return f"Beam's workers must reach {folder} under the same path; name a shared one"

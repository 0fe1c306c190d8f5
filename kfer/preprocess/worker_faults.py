"""Faults of Beam's workers, of which the driver gets no more than the text."""

import contextlib
import os
import re
from collections.abc import Iterator

from kfer.errors import UserError

_OF_THE_DISK = re.compile(r"OSError: \[Errno (\d+)\]")


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
    try:
        yield
    except Exception as error:
        if f"No such file or directory: '{work}" in str(error):
            raise UserError(unreached(work)) from error
        if found := _OF_THE_DISK.search(str(error)):
            number = int(found[1])
            raise OSError(number, os.strerror(number)) from error
        raise


def unreached(folder: str) -> str:
    """That workers have another folder of this name, and what to do."""
    return f"Beam's workers must reach {folder} under the same path; name a shared one"

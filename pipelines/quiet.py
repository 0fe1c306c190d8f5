"""Keeps what libraries say out of the user's sight, in a log file."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def into(path: str) -> Iterator[None]:
    """Sends logging, warnings and the stderr of libraries into a file.

    sys.stderr stays the user's, for progress bars; file descriptor 2, which C++ and
    child processes write to, is the log's until the block ends.
    """
    root = logging.getLogger()
    handlers, stderr = root.handlers[:], sys.stderr
    stderr.flush()
    kept = os.dup(2)
    with (
        open(path, "a", encoding="utf-8") as log,
        os.fdopen(os.dup(kept), "w", buffering=1) as terminal,
    ):
        handler = logging.StreamHandler(log)
        form = "%(asctime)s %(levelname).1s %(name)s %(message)s"
        handler.setFormatter(logging.Formatter(form))
        root.handlers[:] = [handler]
        logging.captureWarnings(True)
        os.dup2(log.fileno(), 2)
        sys.stderr = terminal
        try:
            yield
        finally:
            log.flush()
            os.dup2(kept, 2)
            os.close(kept)
            sys.stderr = stderr
            logging.captureWarnings(False)
            root.handlers[:] = handlers

"""What a killed job leaves behind, and whose unfinished folder is whose."""

import contextlib
import glob
import json
import os
import shutil
import socket
from collections.abc import Iterator

from absl import logging

OWNER = "owner.json"


@contextlib.contextmanager
def owned(folder: str) -> Iterator[str]:
    """A work folder inside `folder` that says whose it is; gone when the block ends."""
    work = os.path.join(folder, "work")
    os.mkdir(work)
    owner = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "start": _start(os.getpid()),
    }
    with open(os.path.join(work, OWNER), "w", encoding="utf-8") as file:
        json.dump(owner, file)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _start(pid: int) -> str:
    """When a process began, or '': tells it from a later one with the same number."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def remove(out_dir: str) -> None:
    """Removes what killed jobs of this machine left beside `out_dir`."""
    parent, base = os.path.split(os.path.abspath(out_dir))
    pattern = os.path.join(glob.escape(parent), f".{glob.escape(base)}.partial-*")
    for folder in glob.glob(pattern):
        try:
            path = os.path.join(folder, "work", OWNER)
            with open(path, encoding="utf-8") as file:
                owner = json.load(file)
        except (OSError, ValueError):
            continue
        same_host = owner.get("host") == socket.gethostname()
        if same_host and _start(owner["pid"]) != owner["start"]:
            logging.info("removing %s, left by a job that was killed", folder)
            shutil.rmtree(folder, ignore_errors=True)

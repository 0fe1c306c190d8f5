"""Publishing a model for TF Serving: a version appears whole or not at all."""

import fcntl
import os
import shutil
import uuid

from kfer import model_folder
from kfer.data import folder as folder_lib
from kfer.errors import UserError

_LOCK = ".lock"
_PARTIAL = ".partial-"


def publish(model_dir: str, base_dir: str) -> str:
    """Copies a SavedModel beside the versions of `base_dir` as the next one.

    A server that watches the folder looks at numeric names alone, so it sees the copy
    only when it is complete and on the disk. Earlier versions stay.

    Returns:
      The new version's folder.

    Raises:
      UserError: no kfer model, or the place can't be written to.
    """
    model_folder.read_description(model_dir)
    partial = ""
    try:
        os.makedirs(base_dir, exist_ok=True)
        with open(os.path.join(base_dir, _LOCK), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _remove_leftovers(base_dir)
            partial = os.path.join(base_dir, f"{_PARTIAL}{uuid.uuid4().hex}")
            shutil.copytree(model_dir, partial)
            model_folder.sync_all(partial)
            target = os.path.join(base_dir, str(max([0, *versions(base_dir)]) + 1))
            os.rename(partial, target)
            folder_lib.sync(base_dir)
    except OSError as error:
        if partial:
            shutil.rmtree(partial, ignore_errors=True)
        raise UserError(
            f"Publishing to {base_dir} failed: {error.strerror}; the versions that "
            "were there are as they were"
        ) from error
    return target


def versions(base_dir: str) -> list[int]:
    """The versions in a folder, ascending."""
    names = os.listdir(base_dir) if os.path.isdir(base_dir) else []
    return sorted(int(name) for name in names if name.isdecimal())


def _remove_leftovers(base_dir: str) -> None:
    # Under the lock, so whatever lies there is of a push that was killed.
    for name in os.listdir(base_dir):
        if name.startswith(_PARTIAL):
            shutil.rmtree(os.path.join(base_dir, name), ignore_errors=True)

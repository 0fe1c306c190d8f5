"""Models in numbered folders, as TensorFlow Serving watches them."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator

from kfer.errors import UserError
from kfer.serving import model_folder, remote_models
from kfer.storage import places, whole

# Beside the base, where no server looks.
LOCK = ".{base}.publish.lock"
# A server takes numeric names alone for versions, so this one is never loaded.
PARTIAL = ".publishing-"


def publish(model_dir: str, base_dir: str) -> str:
    """Copies a model to the next version of `base_dir`, whole or not at all.

    The copy is made beside the versions, brought to the disk and then renamed to one
    more than the highest number there. One publisher works at a time; others wait. No
    version is ever overwritten or removed, and what a killed publisher left behind is
    cleared by the next one.

    Args:
      model_dir: a kfer model (kfer.serving.export).
      base_dir: made where it doesn't exist; a folder, or a place in an object store,
        see remote_models.publish.

    Returns:
      The version's folder, BASE_DIR/<number>.

    Raises:
      UserError: no model there, one folder lies in the other, or the disk refused.
    """
    if places.is_remote(base_dir):
        return remote_models.publish(model_dir, base_dir)
    model_folder.read_description(model_dir)
    _check_apart(model_dir, base_dir)
    try:
        os.makedirs(base_dir, exist_ok=True)
        with _only_one(base_dir):
            _clear_leftovers(base_dir)
            return _copy_and_rename(model_dir, base_dir)
    except (OSError, shutil.Error) as error:
        raise UserError(
            f"Publishing {model_dir} in {base_dir} failed: {_reason(error)}; no "
            "version was added and the others are as they were"
        ) from error


def _reason(error: OSError | shutil.Error) -> str:
    """What the disk said: of a copied tree, of its first file."""
    if isinstance(error, shutil.Error):
        # [(from, to, "[Errno 28] No space left on device: '/...'"), ...]
        said = error.args[0][0][-1]
        return said.partition("] ")[2].partition(":")[0] or said
    return error.strerror or str(error)


def versions(base_dir: str) -> list[int]:
    """The published versions, ascending; none where the folder doesn't exist."""
    names = os.listdir(base_dir) if os.path.isdir(base_dir) else []
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def folder_of(base_dir: str, version: int) -> str:
    """A version's folder: other tools pad the number with zeros."""
    for name in sorted(os.listdir(base_dir)):
        if name.isascii() and name.isdigit() and int(name) == version:
            return os.path.join(base_dir, name)
    return os.path.join(base_dir, str(version))


def _check_apart(model_dir: str, base_dir: str) -> None:
    model, base = (os.path.realpath(path) for path in (model_dir, base_dir))
    if os.path.commonpath([model, base]) == model:
        raise UserError(
            f"Can't publish {model_dir} inside itself, in {base_dir}; name another base"
        )


@contextlib.contextmanager
def _only_one(base_dir: str) -> Iterator[None]:
    """Holds the base's lock, which the system frees when its holder dies."""
    parent, base = os.path.split(os.path.realpath(base_dir))
    with open(os.path.join(parent, LOCK.format(base=base)), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _clear_leftovers(base_dir: str) -> None:
    for name in os.listdir(base_dir):
        if name.startswith(PARTIAL):
            shutil.rmtree(os.path.join(base_dir, name))


def _copy_and_rename(model_dir: str, base_dir: str) -> str:
    folder = tempfile.mkdtemp(prefix=PARTIAL, dir=base_dir)
    try:
        shutil.copytree(model_dir, folder, dirs_exist_ok=True)
        whole.sync_all(folder)
        number = max(versions(base_dir), default=0) + 1
        target = os.path.join(base_dir, str(number))
        os.rename(folder, target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    whole.sync(base_dir)
    return target

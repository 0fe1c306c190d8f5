"""The folder of an exported model: what marks it, how it is written and loaded."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from kfer.data import shard_files
from kfer.errors import UserError
from kfer.serving import foreign_ops
from kfer.storage import whole
from kfer.storage.order import Order
from kfer.training import run_folder

FORMAT_VERSION = 1
LABELS = "labels.json"
# Format -> the file that marks it.
FILES = {
    "saved_model": "saved_model.pb",
    "onnx": "model.onnx",
    "tflite": "model.tflite",
}
# Of a delivery to an object store.
ORDER = Order(tuple(FILES.values()))
# The output of a SavedModel that says of each row whether it is an answer: OK, or what
# is wrong with the picture. Older ones have none: one bad picture fails their request.
STATUS, OK = "status", b"OK"


def is_model(path: str) -> bool:
    """Whether a folder holds a model of kfer's, in any format."""
    described = os.path.isfile(os.path.join(path, "assets", LABELS))
    return described and bool(format_of(path))


def format_of(path: str) -> str:
    """The format of the model in a folder; '' if there is none."""
    found = (f for f, n in FILES.items() if os.path.isfile(os.path.join(path, n)))
    return next(found, "")


def faults(found: Mapping[str, Any]) -> dict[int, str]:
    """Row of a model's outputs -> what its status says, where that isn't OK."""
    if STATUS not in found:
        return {}
    said = np.asarray(found[STATUS])
    return {int(row): said[row].decode() for row in np.flatnonzero(said != OK)}


def digest(model_dir: str) -> str:
    """SHA-256, in hex, of the names and contents of all files of a model.

    A copy has the same one, another export of the same run another.

    Raises:
      UserError: a file can't be read.
    """
    found = hashlib.sha256()
    try:
        for folder, folders, names in os.walk(model_dir, onerror=_raise):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                inside = os.path.relpath(path, model_dir)
                found.update(f"{inside}\0{shard_files.sha256(path)}\n".encode())
    except OSError as error:
        raise UserError(f"Can't read {error.filename}: {error.strerror}") from error
    return found.hexdigest()


def _raise(error: OSError) -> None:
    raise error


def check_target(out_dir: str, overwrite: bool = False) -> None:
    """Raises UserError if `out_dir` can't become a new SavedModel."""
    if os.path.exists(out_dir) and not os.path.isdir(out_dir):
        raise UserError(f"{out_dir} is a file; name a folder that doesn't exist yet")
    if not os.path.isdir(out_dir) or not os.listdir(out_dir):
        return
    if not is_model(out_dir):
        raise UserError(
            f"{out_dir} holds files that are no kfer model; name a folder that is "
            "empty or doesn't exist yet"
        )
    if not overwrite:
        raise UserError(
            f"{out_dir} already holds a model; name another folder or allow it to be "
            "replaced with --overwrite (from Python, overwrite=True)"
        )


def new_folder(out_dir: str, overwrite: bool) -> AbstractContextManager[str]:
    """A folder beside `out_dir` that takes its place when the block ends well.

    Args:
      out_dir: must not exist or be empty, unless `overwrite`.
      overwrite: an older model there is replaced, once the new one is complete.

    Raises:
      UserError: the place is taken, or the disk refused (full, read-only).
    """
    return whole.new_folder(out_dir, lambda: check_target(out_dir, overwrite))


def read_description(model_dir: str) -> dict[str, Any]:
    """assets/labels.json of a model.

    Raises:
      UserError: no such folder, not a model of kfer's, or of another version.
    """
    if not is_model(model_dir):
        raise UserError(
            f"{model_dir} is no kfer model: it lacks {FILES['saved_model']} or "
            f"assets/{LABELS}; make one with kfer-export --run=DIR"
        )
    path = os.path.join(model_dir, "assets", LABELS)
    described = run_folder.read_json(path)
    version = described.get("format_version") if isinstance(described, dict) else None
    if version != FORMAT_VERSION:
        raise UserError(
            f"{path} has format version {version!r}, this kfer reads {FORMAT_VERSION}; "
            "export the run again"
        )
    return described


def load(model_dir: str) -> Any:
    """The loaded SavedModel.

    Raises:
      UserError: it is damaged, of another format, or does what no kfer model does, see
        kfer.serving.foreign_ops.
    """
    import tensorflow as tf

    read_description(model_dir)
    if (form := format_of(model_dir)) != "saved_model":
        raise UserError(
            f"{model_dir} holds a model in {form}, which has no signature for encoded "
            "pictures; export the run as a SavedModel"
        )
    try:
        foreign_ops.check(os.path.join(model_dir, FILES[form]))
        return tf.saved_model.load(model_dir)
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise damaged(model_dir, error) from error


def damaged(model_dir: str, error: Exception) -> UserError:
    """What to say of a model that can't be read."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return UserError(f"The model in {model_dir} is damaged ({reason}); export it again")

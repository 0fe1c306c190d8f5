"""Where a table and its pictures are: files, and folders that are named by classes."""

import functools
import json
import os

from kfer.data import manifest_rows
from kfer.data.importing import (
    class_folders,
    examples,
    lists,
    nested,
    reading,
    understand,
)
from kfer.data.importing.examples import Plan
from kfer.data.importing.options import TableOptions, from_dict
from kfer.data.importing.understand import Understanding
from kfer.errors import UserError
from kfer.images import files
from kfer.images.decode import BadImage


def load(root: str, options: TableOptions) -> tuple[Understanding, Plan]:
    """The table of a folder, understood; the same table is looked at once.

    Args:
      root: folder that picture names are relative to.
      options: path '' stands for the root's manifest, else its class folders.

    Raises:
      UserError: see reading.read, understand.understand and class_folders.read.
    """
    path = options.path or _manifest(root)
    key = json.dumps(vars(options), sort_keys=True, default=list)
    return _load(root, path, _stamp(path), key)


@functools.lru_cache(maxsize=4)
def _load(
    root: str, path: str, stamp: tuple[float, int], key: str
) -> tuple[Understanding, Plan]:
    options = from_dict(json.loads(key))
    if os.path.isdir(path):
        table = class_folders.read(path, options.class_folder)
        root = path
    else:
        table = nested.exploded(reading.read(path, options), options)
        table = lists.expanded(table, options)
    found = understand.understand(
        table, options, lambda name: _exists(root, name), root
    )
    return found, examples.plan(found)


def _exists(root: str, name: str) -> bool:
    try:
        return files.find(root, name) is not None
    except BadImage:  # outside the root
        return False


def _stamp(path: str) -> tuple[float, int]:
    try:
        found = os.stat(path)
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from error
    return found.st_mtime, found.st_size


def _manifest(root: str) -> str:
    names = [n for n in manifest_rows.FILES if os.path.isfile(os.path.join(root, n))]
    return os.path.join(root, names[0]) if names else root

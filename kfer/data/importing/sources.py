"""Where a table and its pictures are: files, and folders that are named by classes."""

import functools
import json
import os
from collections.abc import Iterator

import pandas as pd

from kfer.data import manifest_rows
from kfer.data.importing import examples, reading, understand
from kfer.data.importing.examples import Plan
from kfer.data.importing.options import TableOptions, from_dict
from kfer.data.importing.reading import Table
from kfer.data.importing.understand import Understanding
from kfer.errors import UserError
from kfer.images import files
from kfer.images.decode import BadImage

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic")


def load(root: str, options: TableOptions) -> tuple[Understanding, Plan]:
    """The table of a folder, understood; the same table is looked at once.

    Args:
      root: folder that picture names are relative to.
      options: path '' stands for the root's manifest, else its class folders.

    Raises:
      UserError: see reading.read, understand.understand and class_folders.
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
        table = class_folders(path)
        root = path
    else:
        table = reading.read(path, options)
    found = understand.understand(table, options, lambda name: _exists(root, name))
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


def class_folders(root: str) -> Table:
    """Folders of pictures as a table: [split/]class/.../picture.

    A folder named like a split (train, test, ...) is one where all pictures lie in such
    folders.

    Raises:
      UserError: there is no picture, or pictures lie beside the class folders.
    """
    names = sorted(_pictures(root))
    if not names:
        raise UserError(f"{root} is neither a table nor a folder of class folders")
    parts = [name.split("/") for name in names]
    words = manifest_rows.SPLITS
    with_split = all(p[0].lower() in words and len(p) > 2 for p in parts)
    depth = 1 if with_split else 0
    if bare := ["/".join(part) for part in parts if len(part) < depth + 2]:
        raise UserError(
            f"{root}: {len(bare)} pictures, such as {bare[0]!r}, lie in no class folder"
        )
    columns = {"image": names, "label": [p[depth] for p in parts]}
    if with_split:
        columns["split"] = [p[0] for p in parts]
    form = "folders named by classes" + " within splits" * with_split
    lines = [*range(1, len(names) + 1)]
    name = os.path.basename(os.path.normpath(root))
    return Table(name, pd.DataFrame(columns), lines, form)


def _pictures(root: str) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        for name in names:
            if name.lower().endswith(_PICTURES):
                path = os.path.relpath(os.path.join(folder, name), root)
                yield path.replace(os.sep, "/")

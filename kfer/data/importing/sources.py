"""Where a table and its pictures are: files, and folders that are named by classes."""

import functools
import json
import os

import pandas as pd

from kfer.data import manifest_rows
from kfer.data.importing import examples, lists, nested, reading, understand
from kfer.data.importing.examples import Plan
from kfer.data.importing.options import TableOptions, from_dict
from kfer.data.importing.table import Table
from kfer.data.importing.understand import Understanding
from kfer.errors import UserError
from kfer.images import files
from kfer.images.decode import EXTENSIONS, BadImage

# Folders that systems put beside pictures.
_HIDDEN = ("__MACOSX", "@eaDir")


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
        table = class_folders(path, options.class_folder)
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


def class_folders(root: str, level: int = 0) -> Table:
    """Folders of pictures as a table: [split/]class/.../picture.

    A folder named like a split (train, test, ...) is one where all pictures lie in such
    folders. One folder around everything is passed through; hidden ones and files that
    are no pictures are left out, and counted in the table's form.

    Args:
      root: the folder.
      level: which folder on the way to a picture names its class, from 1; 0 looks.

    Raises:
      UserError: there is no picture, pictures lie beside the class folders, or which
        folders are the classes can't be told.
    """
    names, others = _pictures(root)
    if not names:
        raise UserError(f"{root} is neither a table nor a folder of class folders")
    parts = [name.split("/") for name in names]
    words = manifest_rows.SPLITS
    while len({p[0] for p in parts}) == 1 and all(len(p) > 2 for p in parts):
        if level or parts[0][0].lower() in words:
            break
        parts = [part[1:] for part in parts]
    with_split = all(p[0].lower() in words and len(p) > 2 for p in parts)
    with_split = with_split and level != 1
    depth = level - 1 if level else int(with_split)
    if bare := ["/".join(part) for part in parts if len(part) < depth + 2]:
        raise UserError(
            f"{root}: {len(bare)} pictures, such as {bare[0]!r}, lie in no class folder"
        )
    if not (with_split or level):
        _check_classes(root, parts)
    columns = {"image": names, "label": [p[depth] for p in parts]}
    if with_split:
        columns["split"] = [p[0] for p in parts]
    form = "folders named by classes" + " within splits" * with_split
    form += f", {others} other or hidden files left out" * bool(others)
    lines = [*range(1, len(names) + 1)]
    name = os.path.basename(os.path.normpath(root))
    return Table(name, pd.DataFrame(columns), lines, form)


def _check_classes(root: str, parts: list[list[str]]) -> None:
    """Raises UserError where the folders inside all others have the same few names."""
    inside: dict[str, set[str]] = {}
    for part in parts:
        inside.setdefault(part[0], set()).add(part[1] if len(part) > 2 else "")
    same = set.intersection(*inside.values()) - {""}
    if len(inside) > 1 and len(same) > 1 and all(same == s for s in inside.values()):
        raise UserError(
            f"{root}: each of {', '.join(sorted(inside)[:3])} has the folders "
            f"{', '.join(sorted(same)[:3])}; say --class_folder=1 if the outer ones "
            "are the classes, --class_folder=2 if the inner ones are"
        )


def _pictures(root: str) -> tuple[list[str], int]:
    """The pictures of a folder in order, and the number of other and hidden files."""
    found: list[str] = []
    others = 0
    for folder, _, names in os.walk(root):
        inside = os.path.relpath(folder, root).split(os.sep)
        hidden = any((p.startswith(".") and p != ".") or p in _HIDDEN for p in inside)
        for name in names:
            if hidden or name[0] == "." or not name.lower().endswith(EXTENSIONS):
                others += 1
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            found.append(path.replace(os.sep, "/"))
    return sorted(found), others

"""Folders of pictures that are named by classes -> a table."""

import os

import pandas as pd

from kfer.data import manifest_rows
from kfer.data.importing.table import Table
from kfer.errors import UserError
from kfer.images.decode import EXTENSIONS

# Folders that systems put beside pictures.
_HIDDEN = ("__MACOSX", "@eaDir")


def read(root: str, level: int = 0) -> Table:
    """Folders of pictures as a table: [split/]class/.../picture.

    A folder named like a split (train, test, ...) is one where all pictures lie in such
    folders. One folder around everything is passed through; hidden ones and files that
    are no pictures are left out, and counted in the table's form. Links to folders that
    are outside, around or count already are left out, too, and named there.

    Args:
      root: the folder.
      level: which folder on the way to a picture names its class, from 1; 0 looks.

    Raises:
      UserError: there is no picture, pictures lie beside the class folders, or which
        folders are the classes can't be told.
    """
    names, others, links = _pictures(root)
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
    form += f", links to other or counted folders left out: {', '.join(links)}" * bool(
        links
    )
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


def _pictures(root: str) -> tuple[list[str], int, list[str]]:
    """The pictures of a folder in order, the number of other and hidden files, and
    links that are left out."""
    found: list[str] = []
    links: list[str] = []
    seen: set[str] = set()
    others = 0
    for folder, below, names in os.walk(root, followlinks=True):
        hidden = _is_hidden(os.path.relpath(folder, root))
        real = os.path.realpath(folder)
        if not hidden and real in seen:
            links.append(_name(root, folder, ""))
            below.clear()
            continue
        seen |= set() if hidden else {real}
        leaving = [name for name in below if not _stays(root, folder, name)]
        below[:] = sorted({*below} - {*leaving})
        links += [_name(root, folder, name) for name in leaving]
        for name in names:
            if hidden or name[0] == "." or not name.lower().endswith(EXTENSIONS):
                others += 1
                continue
            found.append(_name(root, folder, name))
    return sorted(found), others, sorted(links)


def _is_hidden(path: str) -> bool:
    """Whether a folder within the root is hidden, or in one that is."""
    parts = path.split(os.sep)
    return any((p.startswith(".") and p != ".") or p in _HIDDEN for p in parts)


def _name(root: str, folder: str, name: str) -> str:
    return os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def _stays(root: str, folder: str, name: str) -> bool:
    """Whether a folder is none that is linked from outside or around its link, or that
    is met without the link, as all are that aren't hidden."""
    path = os.path.join(folder, name)
    if not os.path.islink(path):
        return True
    real, base = os.path.realpath(path), os.path.realpath(root)
    if not _is_hidden(os.path.relpath(real, base)):
        return False
    way = [folder]
    while os.path.realpath(way[-1]) != base and way[-1] != os.path.dirname(way[-1]):
        way.append(os.path.dirname(way[-1]))
    around = {os.path.realpath(part) for part in way}
    return real.startswith(os.path.join(base, "")) and real not in around

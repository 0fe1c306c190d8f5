"""Which rows of a table are of one picture: one spelling of names, several faces."""

import dataclasses
import os
import posixpath
import unicodedata
from collections.abc import Sequence
from typing import Any

import pandas as pd

from kfer.data.importing.options import TableOptions, is_missing
from kfer.data.importing.roles import GEOMETRY, Roles
from kfer.data.importing.table import Table, without_invisible
from kfer.errors import UserError

# Without names of annotators, a table whose pictures stand in several rows is one of
# ratings where at least this share of them do; they are faults where at most _FEW do.
_MOST, _FEW = 0.5, 0.05


def tidied(table: Table, image: str, root: str, options: TableOptions) -> Table:
    """The table with each picture's name in one spelling, and all other text in NFC
    and without letters of no width.

    Names of one file are alike then: 'p/1.png', './p/1.png ', 'p\\1.png', and the
    absolute one where it lies in the root.

    Args:
      table: as read.
      image: header of the column that names pictures.
      root: folder that the names start from; '' leaves absolute ones.
      options: for the words that name no picture.
    """
    cells = table.cells.copy()
    names = {t: _spelled(t, root, options) for t in cells[image].unique()}
    for header in cells.columns:
        known = names if header == image else _plain(cells[header])
        cells[header] = cells[header].map(known)
    return dataclasses.replace(table, cells=cells)


def _plain(cells: pd.Series) -> dict[str, str]:
    return {
        text: unicodedata.normalize("NFC", without_invisible(text))
        for text in cells.unique()
    }


def _spelled(text: str, root: str, options: TableOptions) -> str:
    name = text.strip()
    if is_missing(name, options) and not os.path.isfile(os.path.join(root, name)):
        return ""
    if "\0" in name or "://" in name:
        return name
    name = posixpath.normpath(name.replace("\\", "/"))
    if root and posixpath.isabs(name):
        for base in (os.path.abspath(root), os.path.realpath(root)):
            if name.startswith(base.rstrip("/") + "/"):
                name = posixpath.relpath(name, base)
    if name.isascii():
        return name
    # As the file is called; two files may differ in how their accents are written.
    forms = (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))
    there = (form for form in forms if os.path.lexists(os.path.join(root, form)))
    return next(there, forms[1])


def ids(table: Table, roles: Roles, people: Sequence[str]) -> list[str]:
    """The id of each row's picture.

    The id column's, unless it numbers ratings; else the picture's name. Where one
    picture has rows with boxes of their own, each is a face with an id: name, name#2.

    Args:
      table: tidied.
      roles: of its columns.
      people: annotator of each row; () where no column says.
    """
    images = table.cells[roles.of["image"]].tolist()
    if "id" in roles.of:
        given = [text.strip() for text in table.cells[roles.of["id"]]]
        said = [text for text in given if text]
        pairs = [*zip(images, people, strict=True)] if people else []
        of_ratings = not _repeats(said) and _repeats(images) and not _repeats(pairs)
        if not (pairs and of_ratings):
            return [own or image for own, image in zip(given, images, strict=True)]
    places = _places(table, roles)
    if not places or (people and not _several(images, people, places)):
        return images
    seen: dict[str, dict[tuple, int]] = {}
    found = []
    for image, place in zip(images, places, strict=True):
        faces = seen.setdefault(image, {})
        number = faces.setdefault(place, len(faces) + 1)
        found.append(image if number == 1 else f"{image}#{number}")
    return found


def _repeats(values: Sequence[Any]) -> bool:
    return len(set(values)) < len(values)


def _several(
    images: Sequence[str], people: Sequence[str], places: Sequence[tuple]
) -> bool:
    """Whether somebody rates a picture at two places; two people may place one face
    differently."""
    pairs = [*zip(images, people, strict=True)]
    return len({*zip(pairs, places, strict=True)}) > len({*pairs})


def _places(table: Table, roles: Roles) -> list[tuple]:
    headers = [roles.of[name] for name in GEOMETRY if name in roles.of]
    return [*table.cells[headers].itertuples(index=False, name=None)] if headers else []


def is_long(
    table: Table,
    roles: Roles,
    of_people: bool,
    ids: Sequence[str],
    options: TableOptions,
) -> bool:
    """Whether one row is one rating of a picture.

    Args:
      table: tidied.
      roles: of its columns.
      of_people: whether columns are of one annotator each.
      ids: see ids.
      options: layout.

    Raises:
      UserError: it could be one or the other.
    """
    named = "annotator" in roles.of
    if options.layout == "wide" and named:
        raise UserError(
            f"{table.name} names the annotator of each row in "
            f"{roles.of['annotator']!r}, so it is long; --ignore it to have it wide"
        )
    if options.layout or named:
        return named or options.layout == "long"
    if of_people or "id" in roles.of:
        return False
    counts = pd.Series([name for name in ids if name]).value_counts()
    more = int((counts > 1).sum())
    if more >= _MOST * len(counts) and more:
        return True
    if counts.sum() - len(counts) > _FEW * counts.sum():
        raise UserError(
            f"{table.name}: {more} of {len(counts)} pictures, such as "
            f"{counts.index[0]!r}, stand in several rows and no column says whose; say "
            "--layout=long if each row is somebody's rating, or --layout=wide to set "
            "them aside"
        )
    return False

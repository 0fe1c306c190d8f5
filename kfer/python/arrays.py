"""Pictures and labels in memory as a data set: kfer.data.from_arrays."""

import itertools
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.images import decode
from kfer.python import given as given_lib
from kfer.python import kinds, tables
from kfer.python.kinds import Kinds

_RATINGS = "ratings.csv"
_IMAGE, _ANNOTATOR, _SPLIT, _SUBJECT = kinds.ROLES


def from_arrays(
    images: Any,
    labels: Any,
    annotators: Sequence[Any] | None = None,
    *,
    items: Any = None,
    truth: Any = None,
    classes: Mapping[str, Sequence[str]] | Sequence[str] = (),
    scales: Mapping[str, tuple[float, float]] | tuple[float, float] | None = None,
    split: Sequence[str] | None = None,
    subjects: Sequence[Any] | None = None,
    **options: Any,
) -> Dataset:
    """A data set of pictures and labels in memory: the one that from_table would make.

    Words are classes, whose case and outer spaces don't count, and so are integers.
    Floats are values, and so are integers of a kind that has a scale or is called
    valence or arousal. Missing are NaN, None and ''; of classes -1 too ('nan' and '-1'
    as text, which numpy makes of them beside words), of values -1 where the scale
    doesn't reach it. Several kinds are given as a dict, such as {"mood": words,
    "valence": floats}; one alone is called 'label'.

    Args:
      images: N pictures, uint8 [N, H, W, 3] RGB, or a list of such arrays [H, W, 3] of
        any size, or of paths of picture files; one path is a list of one.
      labels: [N, A], a column for each annotator; or [L], one for each rating; or, if
        `annotators` is None, [N], which then count as the truth.
      annotators: names of the A annotators, or of the annotator of each of L ratings.
        Columns [N, A] without names are numbered from 1.
      items: int [L], the picture of each rating; 0 .. N - 1 in order if None.
      truth: what is known to be right, [N], or a dict of such; with missing ones.
      classes: names of classes by number, or a dict of such by kind of label; if left
        out, words in the order of the alphabet (numbers as words in theirs), and for
        integers 'class 0', 'class 1', ...
      scales: lowest and highest value, or a dict of such by kind, which then has
        values; [-1, 1] for valence and arousal if left out.
      split: 'train', 'valid' or 'test' of each picture [N]; a hash decides if None.
      subjects: who is shown [N]: one person's pictures share a split.
      **options: of from_table.

    Raises:
      UserError: lengths that don't go together, a set where order counts, classes or
        scales of a kind that isn't there, or see from_table.
    """
    people = {"annotators": annotators, "subjects": subjects}
    for name, column in (people | {"items": items, "split": split}).items():
        given_lib.check_order(name, column)
    given = Kinds(labels, truth, classes, scales)
    images = list(given_lib.pictures(images))
    rows = _rows(given.labels, annotators, items, len(images))
    frame = _frame(given, rows, len(images))
    for name, column in ((_SPLIT, split), (_SUBJECT, subjects)):
        if column is not None:
            _check_length(name, column, len(images))
            frame[name] = np.asarray(column, object)[frame[_IMAGE]]
    with tempfile.TemporaryDirectory(prefix="kfer-arrays-") as folder:
        root, names = _pictures(images, folder)
        frame[_IMAGE] = np.asarray(names, object)[frame[_IMAGE]]
        path = os.path.join(folder, _RATINGS)
        frame.to_csv(path, index=False)
        return tables.from_table(path, root, **given.options(frame) | options)


def _rows(
    labels: Mapping[str, np.ndarray],
    annotators: Sequence[Any] | None,
    items: Any,
    count: int,
) -> tuple[np.ndarray, np.ndarray | None, dict[str, np.ndarray]]:
    """Ratings as item [L], annotator [L] or None, and kind -> label [L]."""
    shapes = {part.shape for part in labels.values()}
    if len(shapes) > 1 or any(len(shape) not in (1, 2) for shape in shapes):
        raise UserError(
            f"labels are [N, A] or [L], all kinds alike; got {sorted(shapes)}"
        )
    if not shapes:
        return np.arange(0), None, {}
    (shape,) = shapes
    if len(shape) == 2:
        _check_length("labels", range(shape[0]), count)
        names = [*range(1, shape[1] + 1)] if annotators is None else [*annotators]
        _check_length("annotators", names, shape[1])
        if len({*map(str, names)}) < len(names):
            raise UserError(f"Two annotators have one name: {names}")
        item, who = (np.ravel(x) for x in np.indices(shape))
        people = np.array([str(name) for name in names], object)[who]
        return item, people, {name: part.ravel() for name, part in labels.items()}
    item = np.arange(shape[0]) if items is None else np.asarray(items)
    _check_length("items", item, shape[0])
    if items is None:
        _check_length("labels", range(shape[0]), count)
    if len(item) and not 0 <= item.min() <= item.max() < count:
        raise UserError(
            f"items go from {item.min()} to {item.max()}, of {count} pictures"
        )
    if annotators is None:
        if items is not None:
            raise UserError("items are of ratings, and annotators say whose they are")
        return item, None, dict(labels)
    _check_length("annotators", annotators, shape[0])
    return item, np.array([str(name) for name in annotators], object), dict(labels)


def _check_length(what: str, values: Any, count: int) -> None:
    if len(values) != count:
        raise UserError(f"{what}: {len(values)} were given for {count}")


def _frame(given: Kinds, rows: tuple, count: int) -> pd.DataFrame:
    """The table, in which _IMAGE is a number; each picture has a row at least."""
    item, people, labels = rows
    said = [~kinds.is_missing(part) for part in labels.values()]
    kept = np.any(said, axis=0) if said else np.zeros(len(item), bool)
    # A picture nobody labelled still has a truth, and is in the data set.
    bare = np.setdiff1d(np.arange(count), item[kept])
    frame = pd.DataFrame({_IMAGE: np.concatenate([item[kept], bare]).astype(int)})
    if people is not None:
        first = people[:1] if len(people) else np.array(["nobody"], object)
        frame[_ANNOTATOR] = np.concatenate([people[kept], np.repeat(first, len(bare))])
    for name, part in labels.items():
        frame[name] = [*_cells(part[kept]), *itertools.repeat("", len(bare))]
    for name, part in given.truth.items():
        _check_length("truth", part, count)
        frame[f"clean:{name}"] = np.array(_cells(part), object)[frame[_IMAGE]]
    return frame


def _cells(part: np.ndarray) -> list[str]:
    gone = kinds.is_missing(part)
    return ["" if no else repr(v) for v, no in zip(part.tolist(), gone, strict=True)]


def _pictures(images: list[Any], folder: str) -> tuple[str, list[str]]:
    """The folder of the pictures, and their names in it."""
    if images and all(isinstance(image, (str, os.PathLike)) for image in images):
        paths = [os.path.abspath(image) for image in images]
        root = (
            os.path.dirname(paths[0]) if len(paths) == 1 else os.path.commonpath(paths)
        )
        return root, [os.path.relpath(path, root) for path in paths]
    digits = len(str(len(images)))
    names = [f"{i:0{digits}}.png" for i in range(len(images))]
    for index, (image, name) in enumerate(zip(images, names, strict=True)):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(decode.encode(picture(image, index), "png"))
    return folder, names


def picture(image: Any, index: int) -> np.ndarray:
    """uint8 [H, W, 3] of one of a user's pictures; [H, W] is grey.

    Raises:
      UserError: another type or shape, named by its index.
    """
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise UserError(
            f"Picture {index} is {pixels.dtype} {list(pixels.shape)}; pictures are "
            "uint8 [height, width, 3] RGB in 0..255, or paths"
        )
    return np.ascontiguousarray(pixels)

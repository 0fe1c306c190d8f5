"""AffectNet: 420,000 faces from the web, each judged by one person.

The 2017 layout:

```
ROOT/training.csv        subDirectory_filePath,face_x,face_y,face_width,face_height,
                         facial_landmarks,expression,valence,arousal
ROOT/validation.csv      or validate.csv
ROOT/Manually_Annotated_Images/<sub>/<file>    also below Manually_Annotated/
```

The 2021 layout:

```
ROOT/train_set/images/<id>.jpg   ROOT/train_set/annotations/<id>_{exp,val,aro,lnd}.npy
ROOT/val_set/...
```

Numbers are 0..7 as kfer's, then 8 none, 9 uncertain, 10 no face: such rows are set
aside, and contempt too where 7 classes are asked for. The validation set is the split
'test', as in the literature; there is no other. -2 is AffectNet's word for a missing
valence or arousal. The 68 landmarks are x;y;x;y...; 36..41 outline the eye at the left
of the picture and 42..47 the other. Image ids: 'sub/file.jpg' as in the csv;
'train_set/123' in the 2021 layout. With machine labels these are the labels and
AffectNet's own are the truth.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import reasons, tables
from kfer.data import record as record_lib
from kfer.data.affectnet_labels import ORDER, SetAside, eyes_of, parse_labels
from kfer.data.datasets import ReaderOptions, affectnet_2021, machine_labels
from kfer.data.record import Column, RawExample, Rejected
from kfer.errors import UserError
from kfer.images.alignment import Point

CSV_SPLITS = {
    "train": ("training.csv",),
    "test": ("validation.csv", "validate.csv"),
}
IMAGES = (
    "Manually_Annotated_Images",
    "Manually_Annotated/Manually_Annotated_Images",
    "Manually_Annotated",
)
CSV_COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)


def columns(options: ReaderOptions) -> dict[str, Column]:
    """'expression' with 7 or 8 classes, and 'valence_arousal'."""
    classes = tasks_lib.EXPRESSIONS[: options.num_classes]
    return {
        "expression": record_lib.categorical("expression", classes),
        "valence_arousal": record_lib.valence_arousal(),
    }


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """The same, as AffectNet's annotators gave them."""
    return columns(options)


def read(root: str, options: ReaderOptions) -> Iterator[RawExample | Rejected]:
    """Every row of both splits; see datasets.Reader."""
    if affectnet_2021.is_layout(root):
        items = affectnet_2021.read(root, options.num_classes)
    else:
        items = _read_csv_layout(root, options.num_classes)
    if not options.machine_labels:
        yield from items
        return
    items = list(items)
    machine = machine_labels.read(options.machine_labels, ORDER)
    machine.check(item.image_id for item in items if isinstance(item, RawExample))
    for item in items:
        if isinstance(item, RawExample):
            item = item._replace(labels=machine.of(item.image_id))
        yield item


class _Layout(NamedTuple):
    """How many columns a file has, and where each of CSV_COLUMNS is."""

    width: int
    positions: dict[str, int]


def _read_csv_layout(root: str, num_classes: int) -> Iterator[RawExample | Rejected]:
    images = tables.first_existing(root, *IMAGES)
    files = {
        split: tables.first_existing(root, *names)
        for split, names in CSV_SPLITS.items()
    }
    if not images or not any(files.values()):
        raise UserError(
            f"{root} is no AffectNet: expected training.csv, validation.csv and "
            "Manually_Annotated_Images/ (2017), or train_set/ and val_set/ (2021)"
        )
    folder = os.path.relpath(images, root)
    for split, path in files.items():
        if not path:
            continue
        layout = None
        for source, fields in tables.rows(path, root):
            if layout is None:
                layout = _layout(source, fields)
                if CSV_COLUMNS[0] in (field.strip() for field in fields):
                    continue
            yield _parse(source, fields, layout, split, folder, num_classes)


def _layout(source: str, fields: list[str]) -> _Layout:
    names = [field.strip() for field in fields]
    if CSV_COLUMNS[0] not in names:
        positions = {name: index for index, name in enumerate(CSV_COLUMNS)}
        return _Layout(len(CSV_COLUMNS), positions)
    if missing := [name for name in CSV_COLUMNS if name not in names]:
        raise UserError(
            f"{source}: the header lacks {', '.join(missing)}; it has {names}"
        )
    return _Layout(len(names), {name: names.index(name) for name in CSV_COLUMNS})


def _parse(
    source: str,
    fields: list[str],
    layout: _Layout,
    split: str,
    folder: str,
    num_classes: int,
) -> RawExample | Rejected:
    image_id = fields[0] if fields else ""
    if len(fields) != layout.width:
        detail = f"{len(fields)} columns, expected {layout.width}"
        return Rejected(image_id, reasons.WRONG_COLUMNS, detail, source)
    row = {name: fields[i].strip() for name, i in layout.positions.items()}
    image_id = row["subDirectory_filePath"]
    try:
        labels = parse_labels(
            row["expression"], row["valence"], row["arousal"], num_classes
        )
        eyes = _csv_eyes(row["facial_landmarks"])
        box = _csv_box([row[name] for name in CSV_COLUMNS[1:5]])
    except SetAside as error:
        return Rejected(image_id, error.reason, error.detail, source)
    path = f"{folder}/{image_id}" if not os.path.isabs(image_id) else image_id
    return RawExample(image_id, split, path, labels, dict(labels), source, eyes, box)


def _csv_eyes(text: str) -> tuple[Point, ...]:
    if text.upper() in ("", "NULL"):
        return ()
    return eyes_of(np.array([tables.number(part) for part in text.split(";")]))


def _csv_box(texts: list[str]) -> tuple[float, ...]:
    if any(text.upper() in ("", "NULL") for text in texts):
        return ()
    box = tuple(tables.number(text) for text in texts)
    if not np.isfinite(box).all():
        raise SetAside(reasons.BAD_BOX, f"face box {texts}")
    # AffectNet writes -1 and 0 where no face was found.
    return box if min(box[2:]) > 0 else ()


def make_fake_root(
    root: str, count: int, rng: np.random.Generator, layout: int = 2017
) -> list[str]:
    """Writes a small AffectNet in the official layout of 2017 or 2021.

    Args:
      root: the folder.
      count: images; every fourth is of the validation set.
      rng: of pictures and labels (expressions 0..7, so all fit 8 classes).
      layout: 2017 or 2021.

    Returns:
      The image ids, in the order they are read.
    """
    from kfer.data.fake_roots import affectnet

    return affectnet.write(root, count, rng, layout)

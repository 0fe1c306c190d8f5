"""RAF-DB basic: 12,271 + 3,068 faces from the web, seven expressions.

```
ROOT/EmoLabel/list_patition_label.txt        'train_00001.jpg 5', numbers 1..7
ROOT/Image/original/train_00001.jpg          read if there; also below original/imgs
ROOT/Image/aligned/train_00001_aligned.jpg   else these, which need no alignment
ROOT/Annotation/manual/train_00001_manu_attri.txt    5 points: eyes, nose, mouth corners
ROOT/Annotation/auto/train_00001_auto_attri.txt      37 points of a detector
ROOT/Annotation/boundingbox/train_00001_boundingbox.txt    x1 y1 x2 y2
```

ROOT may also be the folder that holds `basic`. Eyes come from the manual points, else
from the automatic ones (points 13..18 outline the eye at the left, 19..24 the other),
else the job looks for them. The image id is the file name in the list. With machine
labels (see machine_labels; class numbers in RAF-DB's order) these are the labels and
the list is the truth; without, the list is both.
"""

import os
from collections.abc import Iterator

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import label_orders, reasons, tables
from kfer.data import record as record_lib
from kfer.data.datasets import ReaderOptions, machine_labels
from kfer.data.record import Column, RawExample, Rejected
from kfer.errors import UserError
from kfer.images.alignment import Point

ORDER = label_orders.ORDERS["raf"]
LISTS = ("EmoLabel/list_patition_label.txt", "EmoLabel/list_partition_label.txt")
ORIGINALS = ("Image/original/imgs", "Image/original")
ALIGNED = "Image/aligned"
AUTO_POINTS = 37
AUTO_EYES = (slice(13, 19), slice(19, 25))
MANUAL_POINTS = 5


def columns(options: ReaderOptions) -> dict[str, Column]:
    """'expression', and 'valence_arousal' where a machine may have given it."""
    found = clean_columns(options)
    if options.machine_labels:
        found["valence_arousal"] = record_lib.valence_arousal()
    return found


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """'expression': what the data set's own list says."""
    del options
    classes = tasks_lib.EXPRESSIONS[:7]
    return {"expression": record_lib.categorical("expression", classes)}


def base_folder(root: str) -> str:
    """The folder that holds EmoLabel.

    Raises:
      UserError: there is none.
    """
    for folder in (root, os.path.join(root, "basic")):
        if tables.first_existing(folder, *LISTS):
            return folder
    raise UserError(
        f"{root} is no RAF-DB: it has no {LISTS[0]}; name the folder 'basic' of the "
        "data set, or the one that holds it"
    )


def is_aligned(root: str, options: ReaderOptions) -> bool:
    """Whether the pictures are the data set's own crops, so eyes need not be found."""
    del options
    return not tables.first_existing(base_folder(root), *ORIGINALS)


def read(root: str, options: ReaderOptions) -> Iterator[RawExample | Rejected]:
    """Every line of the list; see datasets.Reader."""
    base = base_folder(root)
    parsed = [
        _parse(source, line)
        for source, line in tables.lines(tables.first_existing(base, *LISTS), root)
    ]
    machine = None
    if options.machine_labels:
        machine = machine_labels.read(options.machine_labels, ORDER)
        machine.check(p.image_id for p in parsed if isinstance(p, RawExample))
    originals = tables.first_existing(base, *ORIGINALS)
    for item in parsed:
        if isinstance(item, RawExample):
            item = _locate(item, root, base, originals)
        if isinstance(item, RawExample) and machine:
            item = item._replace(labels=machine.of(item.image_id))
        yield item


def _parse(source: str, line: str) -> RawExample | Rejected:
    parts = line.split()
    name = parts[0]
    if len(parts) != 2:
        detail = f"{len(parts)} columns in {line[:80]!r}, expected 2"
        return Rejected(name, reasons.WRONG_COLUMNS, detail, source)
    split = name.split("_")[0]
    if split not in ("train", "test"):
        return Rejected(
            name, reasons.UNKNOWN_SPLIT, f"{name!r} is no train_ or test_", source
        )
    label = tables.whole_number(parts[1])
    try:
        expression = ORDER.to_kfer(0 if label is None else label)
    except ValueError:
        detail = f"expression {parts[1]!r} is not in 1..7"
        return Rejected(name, reasons.OUT_OF_RANGE, detail, source)
    labels = {"expression": expression}
    return RawExample(name, split, "", labels, dict(labels), source)


def _locate(
    example: RawExample, root: str, base: str, originals: str
) -> RawExample | Rejected:
    stem = os.path.splitext(example.image_id)[0]
    if not originals:
        name = os.path.join(base, ALIGNED, f"{stem}_aligned.jpg")
        return example._replace(image=os.path.relpath(name, root))
    image = os.path.relpath(os.path.join(originals, example.image_id), root)
    if os.path.basename(stem) != stem:
        # A name with folders in it finds no annotation; the job judges its path.
        return example._replace(image=image)
    try:
        eyes = _eyes(os.path.join(base, "Annotation"), stem)
        box = _box(os.path.join(base, "Annotation"), stem)
    except ValueError as error:
        return Rejected(
            example.image_id, reasons.BAD_LANDMARKS, str(error), example.source
        )
    return example._replace(image=image, eyes=eyes, box=box)


def _numbers(path: str, first_lines: int) -> np.ndarray:
    with open(path, encoding="utf-8", errors="replace") as file:
        words = " ".join(file.read().splitlines()[:first_lines]).split()
    values = np.array([tables.number(word) for word in words])
    if not np.isfinite(values).all():
        raise ValueError(f"{os.path.basename(path)} holds {words[:10]}")
    return values


def _points(path: str, count: int) -> np.ndarray:
    values = _numbers(path, count)
    if values.size != 2 * count:
        name = os.path.basename(path)
        raise ValueError(f"{name} has {values.size} numbers, expected {2 * count}")
    return values.reshape(count, 2)


def _eyes(folder: str, stem: str) -> tuple[Point, ...]:
    manual = os.path.join(folder, "manual", f"{stem}_manu_attri.txt")
    automatic = os.path.join(folder, "auto", f"{stem}_auto_attri.txt")
    if os.path.isfile(manual):
        eyes = _points(manual, MANUAL_POINTS)[:2]
    elif os.path.isfile(automatic):
        points = _points(automatic, AUTO_POINTS)
        eyes = [points[part].mean(axis=0) for part in AUTO_EYES]
    else:
        return ()
    return tuple((float(x), float(y)) for x, y in eyes)


def _box(folder: str, stem: str) -> tuple[float, ...]:
    path = os.path.join(folder, "boundingbox", f"{stem}_boundingbox.txt")
    if not os.path.isfile(path):
        return ()
    values = _numbers(path, 1)
    if values.size != 4:
        raise ValueError(
            f"{os.path.basename(path)} has {values.size} numbers, expected 4"
        )
    left, top, right, bottom = map(float, values)
    return (left, top, right - left, bottom - top)


def make_fake_root(
    root: str,
    count: int,
    rng: np.random.Generator,
    aligned: bool = False,
    last_newline: bool = True,
) -> list[str]:
    """Writes a small RAF-DB in the official layout.

    Args:
      root: becomes the folder `basic`.
      count: images; every fourth is of the test split.
      rng: of pictures and labels.
      aligned: write Image/aligned without annotations, instead of originals.
      last_newline: whether the list ends in a newline.

    Returns:
      The image ids, in the list's order.
    """
    from kfer.data.fake_roots import raf

    return raf.write(root, count, rng, aligned, last_newline)

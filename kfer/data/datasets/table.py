"""Any table of ratings: kfer.data.importing says what it understands.

The table is `options.table['path']`, or the manifest or the class folders of the root.
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from kfer.data.datasets import ReaderOptions
from kfer.data.importing import examples, sources
from kfer.data.importing.options import TableOptions, from_dict
from kfer.data.record import Column, RawExample, Rejected


def columns(options: ReaderOptions) -> dict[str, Column]:
    """None that hold for every table; see columns_in."""
    return {}


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """None that hold for every table; see clean_columns_in."""
    return {}


def columns_in(root: str, options: ReaderOptions) -> dict[str, Column]:
    """The label columns of this table.

    Raises:
      UserError: see sources.load.
    """
    return sources.load(root, from_dict(options.table))[1].columns


def clean_columns_in(root: str, options: ReaderOptions) -> dict[str, Column]:
    """The columns of its truth."""
    return sources.load(root, from_dict(options.table))[1].clean_columns


def read(root: str, options: ReaderOptions) -> Iterator[RawExample | Rejected]:
    """Every picture of the table; see datasets.Reader."""
    chosen = from_dict(options.table)
    found, made = sources.load(root, chosen)
    return examples.read(found, chosen, made)


def make_fake_root(root: str, count: int, rng: np.random.Generator) -> TableOptions:
    """Writes a small long table of three annotators with its pictures.

    Args:
      root: the folder.
      count: pictures.
      rng: of pictures and labels.

    Returns:
      The options that read it.
    """
    import cv2

    os.makedirs(os.path.join(root, "photos"), exist_ok=True)
    rows: list[Any] = ["photo;rater;label"]
    for i in range(count):
        pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
        cv2.imwrite(os.path.join(root, "photos", f"{i}.png"), pixels)
        for rater in ("ann", "bob", "eve"):
            label = ("bored", "engaged")[rng.integers(2)]
            rows.append(f"photos/{i}.png;{rater};{label}")
    path = os.path.join(root, "ratings.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")
    return TableOptions(path=path)

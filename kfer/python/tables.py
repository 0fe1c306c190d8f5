"""A table of ratings and a folder of pictures as a data set: kfer.data.from_table."""

import dataclasses
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from absl import logging

from kfer.data import near_copies
from kfer.data.dataset import Dataset
from kfer.data.datasets import ReaderOptions
from kfer.data.importing import describe, sources
from kfer.data.importing.options import from_dict
from kfer.data.importing.understand import Understanding
from kfer.errors import UserError
from kfer.preprocess import job, transforms
from kfer.python import table_options

IMAGE_SIZE = 64


def from_table(
    path: str | os.PathLike,
    images: str | os.PathLike = "",
    *,
    out_dir: str = "",
    image_size: int = IMAGE_SIZE,
    alignment: str = "",
    max_rejected: float = 0.05,
    remove_near_copies: bool = True,
    seed: int = 0,
    overwrite: bool = False,
    verbose: bool = True,
    **options: Any,
) -> Dataset:
    """What kfer-data import makes of a table of ratings, as an object.

    Args:
      path: of the table (CSV, JSON, Parquet, XLSX; long or wide), or of a folder of
        class folders.
      images: folder that picture names start from; the table's own if ''.
      out_dir: where the data set is kept; '' makes a temporary folder that goes with
        the object, or with the process.
      image_size: side of the stored pictures in pixels.
      alignment: 'eyes' puts faces upright, 'none' keeps the centred square; '' takes
        'eyes' where the table has eyes or boxes, else 'none'.
      max_rejected: share of faulty rows, 0 to 1, at which nothing is made.
      remove_near_copies: set aside test (valid) pictures that look like one in train.
      seed: of what is drawn, such as label sets from votes.
      overwrite: an older data set at out_dir is replaced.
      verbose: print what was understood.
      **options: of kfer.data.importing.options.TableOptions, such as
        scales={"valence": (1, 9)}, classes={"mood": ("calm", "tense")}, labels=["pose"]
        or splits=(0.1, 0.1), the shares of test and valid pictures. Words that stand
        for no label, missing=["unsure"], are so in any case, and so is an empty cell.

    Raises:
      UserError: no such table, an option of another type, or the table could mean two
        things, or too much of it is faulty.
    """
    path = os.path.abspath(path)
    if not os.path.exists(path):
        raise UserError(f"There is no table {path}")
    root = images or (path if os.path.isdir(path) else os.path.dirname(path))
    if not os.path.isdir(root):
        raise UserError(f"There is no folder of pictures {root}")
    table = {"path": path, **table_options.read(options)}
    found, made = sources.load(os.fspath(root), from_dict(table))
    if verbose:
        print(describe.describe(found, made, from_dict(table)), flush=True)

    def make(folder: str) -> Dataset:
        described = job_of(
            os.fspath(root), table, found, folder, image_size, alignment, seed
        )
        described = dataclasses.replace(
            described, max_rejected=max_rejected, overwrite=overwrite
        )
        return without_near_copies(job.run(described), remove_near_copies)

    return make(os.fspath(out_dir)) if out_dir else temporary(make)


def job_of(
    root: str,
    table: Mapping[str, Any],
    found: Understanding,
    out_dir: str,
    image_size: int = IMAGE_SIZE,
    alignment: str = "",
    seed: int = 0,
) -> job.Job:
    """The job that makes a data set of an understood table.

    Args:
      root: folder that picture names start from.
      table: fields of TableOptions.
      found: what sources.load says of it.
      out_dir, image_size, alignment, seed: see from_table.
    """
    return job.Job(
        "table",
        root,
        os.path.normpath(out_dir),
        ReaderOptions(seed=seed, image_size=image_size, table=dict(table)),
        transforms.Settings(
            root,
            image_size=image_size,
            alignment=alignment or ("eyes" if found.has_faces else "none"),
        ),
    )


def without_near_copies(dataset: Dataset, remove: bool) -> Dataset:
    """Warns of pictures that look like one of another split; the data set without them
    if they are to go."""
    if not remove:
        return dataset
    dataset, found = near_copies.report(dataset, remove)
    if found:
        logging.warning("%s; set aside", near_copies.describe(found))
    return dataset


def temporary(make: Callable[[str], Dataset]) -> Dataset:
    """A data set in a folder that is removed with the object, or with the process.

    Args:
      make: makes the data set in a folder that doesn't exist yet.
    """
    folder = tempfile.mkdtemp(prefix="kfer-data-")
    try:
        dataset = make(os.path.join(folder, "data"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(dataset, shutil.rmtree, folder, ignore_errors=True)
    return dataset

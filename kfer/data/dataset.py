"""A prepared data set: TFRecord shards under a dataset.json that is written last."""

import dataclasses
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

import tqdm

from kfer.data import manifest_types, shard_files
from kfer.data.folder import MANIFEST, new_folder
from kfer.data.manifest import (
    FORMAT_VERSION,
    REJECTED,
    build_manifest,
    write_manifest,
    write_rejected,
)
from kfer.data.record import Column, Record, Rejected
from kfer.data.shards import (
    ShardInfo,
    SplitWriter,
    SplitWriters,
    Tally,
    shard_info,
    shard_name,
)
from kfer.errors import UserError
from kfer.storage import fetching

__all__ = [
    "MANIFEST",
    "REJECTED",
    "Dataset",
    "ShardInfo",
    "SplitInfo",
    "SplitWriter",
    "SplitWriters",
    "Tally",
    "build_manifest",
    "load",
    "new_folder",
    "shard_info",
    "shard_name",
    "write",
    "write_items",
    "write_manifest",
    "write_rejected",
]


@dataclasses.dataclass(frozen=True)
class SplitInfo:
    """One split. Features are named 'label/<column>' or 'clean/<column>'.

    Attributes:
      num_records: in all shards together.
      shards: in order; the position of a record in the split counts through them.
      class_counts: categorical feature -> records by class; labels of a crowd column.
      given: feature -> records that have a value.
    """

    num_records: int
    shards: tuple[ShardInfo, ...]
    class_counts: dict[str, tuple[int, ...]]
    given: dict[str, int]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What dataset.json says.

    Attributes:
      root: the folder.
      name: of the data set, as in kfer.data.datasets.DATASETS where it came from there.
      columns: label columns by name.
      clean_columns: columns of the truth by name.
      splits: 'train', 'valid', 'test' -> SplitInfo.
      noise: split -> label column -> {'requested': rate or None, 'achieved': rate,
        'compared': records} and what else its maker tells, where the truth was known.
      rejected: reason -> how many were set aside.
      content_hash: changes with any byte of any shard or the meaning of a column.
      image_format: 'png' or 'jpeg'.
      image_size: side of the stored images in pixels; 0 if they differ.
      command: that made it.
      options: the reader's options it was made with.
      notes: whatever else its maker tells, such as leaks removed.
      versions: package -> version.
      created: UTC time, ISO 8601.
    """

    root: str
    name: str
    columns: dict[str, Column]
    clean_columns: dict[str, Column]
    splits: dict[str, SplitInfo]
    noise: dict[str, dict[str, dict[str, Any]]]
    rejected: dict[str, int]
    content_hash: str
    image_format: str
    image_size: int
    command: str
    options: dict[str, Any]
    notes: dict[str, Any]
    versions: dict[str, str]
    created: str

    def split(self, name: str) -> SplitInfo:
        """A split; UserError if there is none of that name or it is empty."""
        if name not in self.splits or not self.splits[name].num_records:
            filled = [split for split, info in self.splits.items() if info.num_records]
            raise UserError(
                f"{self.root} has no examples in a split {name!r}; it has {filled}"
            )
        return self.splits[name]

    def files(self, split: str) -> list[str]:
        """Paths of a split's shards, in order.

        Raises:
          UserError: a shard isn't the one that was written, see shard_files.check.
        """
        paths = []
        for shard in self.split(split).shards:
            paths.append(os.path.join(self.root, shard.file))
            shard_files.check(paths[-1], shard.sha256)
        return paths


_NOT_AS_WRITTEN = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def load(data_dir: str) -> Dataset:
    """Reads dataset.json and checks that the shards it lists are there in full size.

    Args:
      data_dir: a folder, or a place in an object store, which is fetched.

    Raises:
      UserError: no such folder, not a data set, of another version, a shard is missing
        or has another size.
    """
    data_dir = fetching.local_copy(data_dir, (MANIFEST,))
    path = os.path.join(data_dir, MANIFEST)
    if not os.path.isdir(data_dir):
        raise UserError(f"There is no folder {data_dir}; make one with kfer-data make")
    if not os.path.isfile(path):
        raise UserError(
            f"{data_dir} is not a prepared data set: it has no {MANIFEST}; make one "
            "with kfer-data make or kfer-preprocess"
        )
    try:
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
        version = manifest["format_version"]
        if version != FORMAT_VERSION:
            raise UserError(
                f"{path} has format version {version!r}, this kfer reads "
                f"{FORMAT_VERSION}; prepare the data set again"
            )
        manifest_types.check(manifest)
        dataset = _from_manifest(data_dir, manifest)
    except _NOT_AS_WRITTEN as error:
        raise UserError(
            f"{path} is damaged ({type(error).__name__}: {error}); prepare the data "
            "set again"
        ) from error
    _check_files(dataset)
    return dataset


def _from_manifest(root: str, manifest: Mapping[str, Any]) -> Dataset:
    splits = {
        name: SplitInfo(
            split["num_records"],
            tuple(ShardInfo(**shard) for shard in split["shards"]),
            {key: tuple(counts) for key, counts in split["class_counts"].items()},
            dict(split["given"]),
        )
        for name, split in manifest["splits"].items()
    }
    parsed = {
        "splits": splits,
        "root": root,
        "columns": {n: Column(**c) for n, c in manifest["columns"].items()},
        "clean_columns": {n: Column(**c) for n, c in manifest["clean_columns"].items()},
    }
    names = {field.name for field in dataclasses.fields(Dataset)} - set(parsed)
    return Dataset(**parsed, **{name: manifest[name] for name in names})


def _check_files(dataset: Dataset) -> None:
    for shard in (shard for info in dataset.splits.values() for shard in info.shards):
        path = os.path.join(dataset.root, shard.file)
        if os.path.basename(shard.file) != shard.file:
            found = "is outside the folder"
        elif not os.path.isfile(path):
            found = "is missing"
        elif os.path.getsize(path) != shard.num_bytes:
            size = os.path.getsize(path)
            found = f"has {size} bytes, {MANIFEST} says {shard.num_bytes}"
        else:
            continue
        raise UserError(f"{path} {found}; copy it again or prepare the data set again")


def write(
    out_dir: str,
    name: str,
    splits: Mapping[str, Iterable[Record]],
    columns: Mapping[str, Column],
    clean_columns: Mapping[str, Column],
    *,
    rejected: Iterable[Rejected] = (),
    **fields: Any,
) -> Dataset:
    """Writes splits one after the other; the other arguments are write_items's."""

    def items() -> Iterable[tuple[str, Record] | Rejected]:
        for split, records in splits.items():
            yield from ((split, record) for record in records)
        yield from rejected

    return write_items(
        out_dir, name, items(), columns, clean_columns, splits=tuple(splits), **fields
    )


def write_items(
    out_dir: str,
    name: str,
    items: Iterable[tuple[str, Record] | Rejected],
    columns: Mapping[str, Column],
    clean_columns: Mapping[str, Column],
    *,
    splits: tuple[str, ...] = (),
    records_per_shard: int = 4096,
    overwrite: bool = False,
    total: int | None = None,
    **fields: Any,
) -> Dataset:
    """Writes a data set from (split, record) pairs and rejected items in any order.

    The folder is written beside its place and renamed. Equal items give byte-equal
    shards.

    Args:
      out_dir: must not exist or be empty, unless `overwrite`.
      name: of the data set.
      items: what to write; read once.
      columns, clean_columns: what the labels mean.
      splits: these come first in dataset.json, even if empty.
      records_per_shard: the last shard of a split may have fewer.
      overwrite: an older data set is replaced, once the new one is complete.
      total: the number of items if known, for the progress bar.
      **fields: command, image_format, image_size, noise, options, notes of
        build_manifest.

    Raises:
      UserError: the place is taken, a label is out of range, two records share an id,
        there is no record, or the disk is full.
    """
    rejected: list[Rejected] = []
    with new_folder(out_dir, overwrite) as folder:
        writers = SplitWriters(
            folder, columns, clean_columns, records_per_shard, splits
        )
        progress = tqdm.tqdm(items, name, total, disable=None, unit=" records")
        with writers, progress:
            for item in progress:
                if isinstance(item, Rejected):
                    rejected.append(item)
                else:
                    writers.add(*item)
            infos = writers.close()
        manifest = build_manifest(
            name,
            infos,
            writers.tallies,
            columns,
            clean_columns,
            rejected=write_rejected(folder, rejected),
            **fields,
        )
        write_manifest(folder, manifest)
    return load(out_dir)

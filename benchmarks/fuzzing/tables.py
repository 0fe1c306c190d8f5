"""Fuzzed: annotation files of every reader, rows in = examples + set aside."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.fuzzing import mutations
from kfer.data import datasets, label_noise, label_orders
from kfer.data.datasets import (
    ReaderOptions,
    affectnet,
    ferplus,
    machine_labels,
    manifest,
    raf,
)
from kfer.data.datasets import table as table_reader
from kfer.errors import UserError
from kfer.preprocess import rows as rows_lib

# Rows of a file: enough that one bad row among good ones is seen, and that rows, not
# the file's opening, take the time.
ROWS = 48
_SHARES = (0.02, 0.2, 1.0)


class LineFile:
    """One text file of a raw folder, mutated line by line.

    Args:
      folder: becomes the raw folder.
      name: of the data set.
      make: fills the folder.
      path: of the file, relative to the folder.
      expected: number of rows that the reader must account for, from the file's bytes;
        None where another file says which rows there are.
    """

    def __init__(
        self,
        folder: str,
        name: str,
        make: Callable[[str], Any],
        path: str,
        expected: Callable[[bytes], int] | None = None,
    ):
        made = make(folder)
        table = getattr(made, "path", None) and {"path": made.path}
        self.module = datasets.reader(name)
        self.options = ReaderOptions(table=table or None)
        self.root, self.expected = folder, expected
        self.path = os.path.join(folder, path)
        self.work = folder + "-work"
        with open(self.path, "rb") as file:
            self.good = file.read()

    def mutated(self, rng: np.random.Generator) -> tuple[bytes, int]:
        """The file's bytes with faults, and how many of its records have one."""
        if rng.random() < 0.2:
            return mutations.mutated(self.good, rng), 1
        share = _SHARES[rng.integers(len(_SHARES))]
        return mutations.mutated_lines(self.good, rng, share)

    def run(self, data: bytes) -> Counter:
        """What became of the rows."""
        with open(self.path, "wb") as file:
            file.write(data)
        os.makedirs(self.work, exist_ok=True)
        try:
            found = rows_lib.write_chunks(
                rows_lib.read(self.module, self.root, self.options), self.work, {}
            )
        except UserError:
            return Counter(files=1, refused_files=1)
        finally:
            shutil.rmtree(self.work)
        read, aside = found.splits.total(), found.rejected.total()
        if read + aside != found.rows:
            raise AssertionError(f"{found.rows} rows in, {read} + {aside} out")
        if self.expected and found.rows != self.expected(data):
            raise AssertionError(f"{self.expected(data)} rows, {found.rows} accounted")
        return Counter(files=1, read=read, set_aside=aside)


def lines_of(data: bytes, header: int) -> int:
    """Lines that are rows: not blank and no header; counted without kfer's code."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    plain = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return max(0, sum(bool(line.strip()) for line in plain) - header)


class Spreadsheet:
    """A table of ratings in one of the forms that importing reads, mutated as bytes."""

    def __init__(self, folder: str, suffix: str):
        import pandas as pd

        os.makedirs(folder)
        options = table_reader.make_fake_root(folder, 8, np.random.default_rng(0))
        frame = pd.read_csv(options.path, sep=";")
        self.path = os.path.join(folder, f"ratings{suffix}")
        writers = {
            ".parquet": frame.to_parquet,
            ".xlsx": lambda path: frame.to_excel(path, index=False),
            ".json": lambda path: frame.to_json(path, orient="records"),
            ".jsonl": lambda path: frame.to_json(path, orient="records", lines=True),
        }
        writers[suffix](self.path)
        self.root, self.suffix = folder, suffix
        with open(self.path, "rb") as file:
            self.good = file.read()

    def mutated(self, rng: np.random.Generator) -> tuple[bytes, int]:
        """The file's bytes with faults."""
        if self.suffix == ".jsonl" and rng.random() < 0.7:
            return mutations.mutated_lines(self.good, rng, 0.3)
        return mutations.mutated(self.good, rng), 1

    def run(self, data: bytes) -> Counter:
        """Every row of what was understood is an example's or is set aside."""
        with open(self.path, "wb") as file:
            file.write(data)
        options = ReaderOptions(table={"path": self.path})
        try:
            items = list(rows_lib.read(table_reader, self.root, options))
        except UserError:
            return Counter(files=1, refused_files=1)
        aside = sum(item.rejected is not None for item in items)
        return Counter(files=1, read=len(items) - aside, set_aside=aside)


class TextFile:
    """A file that is read as a whole or refused as a whole."""

    def __init__(self, folder: str, name: str, good: bytes, read: Callable[[str], Any]):
        os.makedirs(folder, exist_ok=True)
        self.path, self.good, self.read = os.path.join(folder, name), good, read

    def mutated(self, rng: np.random.Generator) -> tuple[bytes, int]:
        """The file's bytes with faults."""
        return mutations.mutated(self.good, rng), 1

    def run(self, data: bytes) -> Counter:
        """Whether it was read."""
        with open(self.path, "wb") as file:
            file.write(data)
        try:
            self.read(self.path)
        except UserError:
            return Counter(files=1, refused_files=1)
        return Counter(files=1, read=1)


def _raw(
    name: str, maker: Any, path: str, *arguments: Any, header: int | None = None
) -> Callable[[str], LineFile]:
    """A LineFile of a reader's fake root; with `header`, its rows are counted."""
    expected = None if header is None else lambda data: lines_of(data, header)

    def make(root: str) -> None:
        maker.make_fake_root(root, ROWS, np.random.default_rng(0), *arguments)

    return lambda folder: LineFile(folder, name, make, path, expected=expected)


def _ratings(folder: str) -> LineFile:
    def make(root: str) -> Any:
        return table_reader.make_fake_root(root, 8, np.random.default_rng(0))

    return LineFile(folder, "table", make, "ratings.csv")


def _sheet(suffix: str) -> Callable[[str], Spreadsheet]:
    return lambda folder: Spreadsheet(folder, suffix)


def _machine_labels(folder: str) -> TextFile:
    lines = [f"train_{i:05d}.jpg {1 + i % 7} 0.{i} -0.{i}" for i in range(ROWS)]
    good = "\n".join(["id expression valence arousal", *lines]).encode()
    order = label_orders.order("raf")
    return TextFile(
        folder, "labels.txt", good, lambda path: machine_labels.read(path, order)
    )


def _confusions(folder: str) -> TextFile:
    good = json.dumps([(np.eye(7) * 0.65 + 0.05).tolist()] * 2).encode()
    return TextFile(folder, "matrices.json", good, label_noise.read_matrices)


_NPY = "train_set/annotations/0_{}.npy"
TARGETS: dict[str, Callable[[str], Any]] = {
    "manifest_csv": _raw("manifest", manifest, "manifest.csv", "csv"),
    "manifest_jsonl": _raw("manifest", manifest, "manifest.jsonl", "jsonl"),
    "ratings_csv": _ratings,
    **{f"ratings_{s[1:]}": _sheet(s) for s in (".json", ".jsonl", ".xlsx", ".parquet")},
    "raf_list": _raw("raf", raf, "EmoLabel/list_patition_label.txt", header=0),
    "raf_landmarks": _raw("raf", raf, "Annotation/auto/train_00005_auto_attri.txt"),
    "raf_box": _raw("raf", raf, "Annotation/boundingbox/train_00001_boundingbox.txt"),
    "affectnet_csv": _raw("affectnet", affectnet, "training.csv", 2017),
    "affectnet_class": _raw("affectnet", affectnet, _NPY.format("exp"), 2021),
    "affectnet_points": _raw("affectnet", affectnet, _NPY.format("lnd"), 2021),
    "ferplus_votes": _raw("ferplus", ferplus, "FER2013Train/label.csv", "folders"),
    "ferplus_pixels": _raw("ferplus", ferplus, "fer2013.csv", "csv"),
    "machine_labels": _machine_labels,
    "confusion_matrices": _confusions,
}

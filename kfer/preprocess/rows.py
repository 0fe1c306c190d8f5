"""What the readers give, as chunk files that workers read.

Chunks are JSON lines in the job's own folder, so a pipeline carries file names instead
of examples, and a worker never unpickles anything.
"""

import base64
import dataclasses
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from kfer.data import reasons
from kfer.data.crowd_labels import is_crowd
from kfer.data.datasets import ReaderOptions
from kfer.data.label_noise import LabelNoise
from kfer.data.record import Column, RawExample, Rejected
from kfer.noise import continuous

CHUNK = 256
# Rows that a refusal shows of each reason.
SHOWN = 3
# Letters of what was found that are shown of one.
_LONGEST = 120


class Row(NamedTuple):
    """One annotation: an example, a reason to set it aside, or both.

    With both, the picture counts when leaks are looked for and is set aside anyway.
    """

    example: RawExample | None
    rejected: Rejected | None


@dataclasses.dataclass
class Read:
    """What was read.

    Attributes:
      rows: annotations, good or bad.
      splits: split -> examples.
      rejected: reason -> annotations that the reader or its checks set aside.
      chunks: paths of the chunk files, in order.
      value_noise: training label column of values -> row of the noise table, where the
        truth is known; no count of records tells it.
      dropped: why single labels of a picture were left out -> how many.
      first: reason -> its first few rejected annotations.
    """

    rows: int = 0
    splits: Counter = dataclasses.field(default_factory=Counter)
    rejected: Counter = dataclasses.field(default_factory=Counter)
    chunks: list[str] = dataclasses.field(default_factory=list)
    value_noise: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    dropped: Counter = dataclasses.field(default_factory=Counter)
    first: dict[str, list[Rejected]] = dataclasses.field(default_factory=dict)


def columns_of(
    module: Any, root: str, options: ReaderOptions
) -> tuple[dict[str, Column], dict[str, Column]]:
    """The label and clean columns of a raw folder."""
    if hasattr(module, "clean_columns_in"):
        return module.columns_in(root, options), module.clean_columns_in(root, options)
    if hasattr(module, "columns_in"):
        return module.columns_in(root, options), module.clean_columns(options)
    return module.columns(options), module.clean_columns(options)


def read(module: Any, root: str, options: ReaderOptions) -> Iterator[Row]:
    """A reader's items, with duplicate ids and labels out of range set aside.

    Args:
      module: of kfer.data.datasets.
      root: the raw folder.
      options: for the reader; of a split that has `options.limit` examples nothing more
        is read.
    """
    declared = columns_of(module, root, options)
    limit = options.limit or {}
    seen: set[str] = set()
    given: Counter[str] = Counter()
    for item in module.read(root, options):
        if given[_split(item)] >= limit.get(_split(item), math.inf):
            continue
        if isinstance(item, Rejected):
            rejected = Rejected(*item)
            yield Row(getattr(item, "example", None), rejected)
        elif item.image_id in seen:
            yield _aside(item, reasons.DUPLICATE_ID, f"{item.image_id!r} stood before")
        elif problem := label_problem(item, *declared):
            yield _aside(item, reasons.OUT_OF_RANGE, problem)
        else:
            seen.add(item.image_id)
            given[item.split] += 1
            yield Row(item, None)


def _split(item: RawExample | Rejected) -> str:
    """The split an item stands in; '' where what was set aside doesn't tell."""
    example = getattr(item, "example", None) if isinstance(item, Rejected) else item
    return example.split if example is not None else ""


def _aside(example: RawExample, reason: str, detail: str) -> Row:
    return Row(None, Rejected(example.image_id, reason, detail, example.source))


def label_problem(
    example: RawExample, columns: Mapping[str, Column], clean: Mapping[str, Column]
) -> str:
    """Why the example's labels can't stand in the columns, or ''."""
    for declared, values in ((columns, example.labels), (clean, example.clean)):
        for name, value in values.items():
            problem = (
                declared[name].problem(value)
                if name in declared
                else f"undeclared column {name}"
            )
            if problem:
                return problem
    return ""


def noisy_labels(
    rows: Iterable[Row], noise: LabelNoise, columns: dict[str, Column]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Image id -> label columns of each training example, with the noise; and rows of
    the noise table for simulated values, whose error no count of records tells."""
    train = [
        row.example
        for row in rows
        if row.rejected is None and row.example.split == "train"
    ]
    clean = [e.clean for e in train]
    labels = noise.apply([e.labels for e in train], clean, columns)
    by_id = {e.image_id: row for e, row in zip(train, labels, strict=True)}
    return by_id, noise.achieved_values(labels, clean)


def write_chunks(
    rows: Iterable[Row], folder: str, labels: Mapping[str, dict[str, Any]]
) -> Read:
    """Writes rows into chunk files of CHUNK lines.

    Args:
      rows: read once.
      folder: an existing folder.
      labels: image id -> label columns that replace those read.
    """
    found = Read()
    lines: list[str] = []
    values: dict[str, list[tuple[Any, Any]]] = {}
    for row in rows:
        if row.rejected is None:
            found.splits[row.example.split] += 1
            found.dropped.update(row.example.dropped)
            given = labels.get(row.example.image_id, row.example.labels)
            row = Row(row.example._replace(labels=given), None)
            if row.example.split == "train":
                _collect_values(row.example, values)
        else:
            found.rejected[row.rejected.reason] += 1
            keep_first(found.first, row.rejected)
        found.rows += 1
        lines.append(to_json(row))
        if len(lines) == CHUNK:
            found.chunks.append(_write(folder, len(found.chunks), lines))
            lines = []
    if lines:
        found.chunks.append(_write(folder, len(found.chunks), lines))
    found.value_noise = {
        name: continuous.achieved(*np.swapaxes(pairs, 0, 1))
        for name, pairs in values.items()
    }
    return found


def keep_first(first: dict[str, list[Rejected]], row: Rejected) -> None:
    """Keeps the first SHOWN rows of each reason."""
    kept = first.setdefault(row.reason, [])
    if len(kept) < SHOWN:
        kept.append(row)


def in_words(row: Rejected) -> str:
    """Where a row stands, and what was found."""
    return f"{row.source or row.image_id}: {row.detail[:_LONGEST]}"


def _collect_values(
    example: RawExample, values: dict[str, list[tuple[Any, Any]]]
) -> None:
    """Adds (label, truth) of each column of values that has both."""
    for name, given in example.labels.items():
        values_of_one = isinstance(given, tuple) and not is_crowd(given)
        if values_of_one and name in example.clean:
            values.setdefault(name, []).append((given, example.clean[name]))


def _write(folder: str, index: int, lines: list[str]) -> str:
    path = os.path.join(folder, f"chunk-{index:05d}.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return path


def to_json(row: Row) -> str:
    """One line of a chunk."""
    example = None
    if row.example is not None:
        example = row.example._asdict() | {"image": _pack(row.example.image)}
    return json.dumps([example, row.rejected])


def from_json(line: str) -> Row:
    """Inverse of to_json; floats, tuples and pixels come back as they were."""
    example, rejected = json.loads(line)
    if example is not None:
        example = RawExample(
            **example
            | {
                "image": _unpack(example["image"]),
                "labels": _tuples(example["labels"]),
                "clean": _tuples(example["clean"]),
                "eyes": tuple(map(tuple, example["eyes"])),
                "box": tuple(example["box"]),
                "dropped": tuple(example["dropped"]),
            }
        )
    return Row(example, rejected and Rejected(*rejected))


def _tuples(labels: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in labels.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _pack(image: Any) -> Any:
    if isinstance(image, str):
        return image
    if isinstance(image, bytes):
        return [base64.b64encode(image).decode(), None]
    pixels = np.ascontiguousarray(image, np.uint8)
    return [base64.b64encode(pixels).decode(), pixels.shape]


def _unpack(image: Any) -> Any:
    if isinstance(image, str):
        return image
    data, shape = image
    raw = base64.b64decode(data)
    return raw if shape is None else np.frombuffer(raw, np.uint8).reshape(shape)

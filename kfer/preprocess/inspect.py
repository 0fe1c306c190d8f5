"""A data set as one HTML page: pictures, classes, values, agreement, what was set
aside."""

import base64
import collections
import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from kfer.data import dataset as dataset_lib
from kfer.data import manifest, shards
from kfer.data import record as record_lib
from kfer.data.dataset import Dataset
from kfer.data.record import Column, RawExample, Record
from kfer.errors import UserError
from kfer.preprocess import inspect_plots as plots
from kfer.storage import whole
from kfer.tasks import CONTINUOUS

PAGE = "inspect.html"
MAX_RECORDS = 60_000
MAX_REJECTED = 500
PICTURE_SIDE = 160
SHOWN_OF_CROWD = 8


@dataclasses.dataclass
class Sample:
    """What one pass over a split finds.

    Attributes:
      records: how many were read.
      pictures: alignment status -> the first records of that status.
      classes: categorical label column -> class of each record, -1 where missing.
      values: continuous column of two dimensions -> pairs, of the records that have
        them.
    """

    records: int = 0
    pictures: dict[str, list[Record]] = dataclasses.field(default_factory=dict)
    classes: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    values: dict[str, list[tuple[float, ...]]] = dataclasses.field(default_factory=dict)


def write_page(
    data_dir: str, source_dir: str = "", out_path: str = "", per_status: int = 12
) -> str:
    """Writes the page and returns its path.

    Args:
      data_dir: a prepared data set.
      source_dir: its raw folder, to show pictures before alignment; '' leaves them out.
      out_path: of the page; inspect.html in the data set's folder if ''.
      per_status: pictures shown for each way in which faces were found.

    Raises:
      UserError: no data set, or a damaged one; source_dir isn't its raw folder.
    """
    import jinja2

    if source_dir and not os.path.isdir(source_dir):
        raise UserError(f"There is no folder {source_dir} of raw pictures")

    dataset = dataset_lib.load(data_dir)
    samples = {
        split: sample(dataset, split, per_status)
        for split, info in dataset.splits.items()
        if info.num_records
    }
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kfer.preprocess", "templates"), autoescape=True
    )
    text = environment.get_template("inspect.html").render(
        dataset=dataset,
        splits=[_split(dataset, split, s) for split, s in samples.items()],
        pictures=_pictures(dataset, samples, source_dir),
        rejected=_rejected(data_dir),
        max_rejected=MAX_REJECTED,
        max_records=MAX_RECORDS,
    )
    out_path = out_path or os.path.join(data_dir, PAGE)
    whole.write_text(out_path, text)
    return out_path


def sample(dataset: Dataset, split: str, per_status: int) -> Sample:
    """Reads a split, up to MAX_RECORDS of its records."""
    found = Sample()
    columns = dataset.columns.items()
    single = [(name, column) for name, column in columns if not column.annotators]
    classes = [name for name, column in single if column.is_categorical]
    values = [n for n, c in single if c.kind == CONTINUOUS and c.size == 2]
    for record in _records(dataset, split):
        found.records += 1
        shown = found.pictures.setdefault(record.alignment, [])
        if len(shown) < per_status:
            shown.append(record)
        for name in classes:
            found.classes.setdefault(name, []).append(record.labels.get(name, -1))
        for name in values:
            if name in record.labels:
                found.values.setdefault(name, []).append(record.labels[name])
        if found.records == MAX_RECORDS:
            break
    return found


def _records(dataset: Dataset, split: str) -> Iterator[Record]:
    for path in dataset.files(split):
        for serialized in shards.read_shard(path):
            yield record_lib.decode(serialized)


def agreement(classes: dict[str, list[int]]) -> tuple[list[str], np.ndarray]:
    """Share of records on which two annotators agree, of those both labelled.

    Args:
      classes: label column -> class of each record, -1 where missing.

    Returns:
      Names of the annotator columns, and [k, k] shares; NaN where no record has both.
    """
    names = [name for name in classes if name.startswith("annotator_")]
    table = np.full((len(names), len(names)), np.nan)
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            a, b = np.array(classes[first]), np.array(classes[second])
            both = (a >= 0) & (b >= 0)
            if both.any():
                table[i, j] = np.mean(a[both] == b[both])
    return names, table


def _split(dataset: Dataset, split: str, found: Sample) -> dict[str, Any]:
    info = dataset.splits[split]
    columns = {f"label/{n}": c for n, c in dataset.columns.items()}
    columns |= {f"clean/{n}": c for n, c in dataset.clean_columns.items()}
    figures = {
        f"{feature}: {info.given[feature]} of {info.num_records}": plots.histogram(
            columns[feature].classes, counts
        )
        for feature, counts in info.class_counts.items()
    }
    for name, pairs in found.values.items():
        figures[f"label/{name}"] = plots.scatter(np.array(pairs), dataset.columns[name])
    names, table = agreement(found.classes)
    if len(names) > 1 and np.isfinite(table).any():
        figures["share of pictures on which two annotators agree"] = plots.table(
            names, table
        )
    return {
        "name": split,
        "info": info,
        "read": found.records,
        "figures": {title: _uri(png) for title, png in figures.items()},
        "noise": {
            column: manifest.noise_text(row)
            for column, row in dataset.noise.get(split, {}).items()
        },
    }


def _uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _pictures(
    dataset: Dataset, samples: dict[str, Sample], source_dir: str
) -> dict[str, list[dict[str, Any]]]:
    shown: dict[str, list[tuple[str, Record]]] = collections.defaultdict(list)
    for split, found in samples.items():
        for status, records in found.pictures.items():
            shown[status or "as stored"] += [(split, record) for record in records]
    raw = {}
    if source_dir:
        ids = {record.image_id for part in shown.values() for _, record in part}
        raw = raw_examples(dataset, source_dir, ids)
    found = {
        status: [
            {
                "split": split,
                "id": record.image_id,
                "source": record.source,
                "labels": _names(dataset, record),
                "after": _uri(record.image, dataset.image_format),
                "before": _before(raw.get(record.image_id), source_dir),
            }
            for split, record in part
        ]
        for status, part in sorted(shown.items())
    }
    # A table that lies elsewhere names pictures that another folder doesn't have.
    if raw and not any(row["before"] for part in found.values() for row in part):
        raise _other_folder(dataset, source_dir)
    return found


def _names(dataset: Dataset, record: Record) -> str:
    words = []
    for name, value in record.labels.items():
        column = dataset.columns[name]
        if column.annotators:
            said = [
                f"{column.annotators[who]} {_label(column, label)}"
                for who, label in value[:SHOWN_OF_CROWD]
            ]
            more = len(value) - len(said)
            words += [f"{name} by {len(value)}: " + ", ".join(said)]
            words += [f"and {more} more"] if more else []
            continue
        words.append(f"{name} {_label(column, value)}")
    return ", ".join(words)


def _label(column: Column, value: Any) -> str:
    if column.is_categorical:
        return column.classes[value]
    return " ".join(f"{v:.2f}" for v in value)


def raw_examples(
    dataset: Dataset, source_dir: str, ids: set[str]
) -> dict[str, RawExample]:
    """The raw examples of some images, read as the data set was.

    Raises:
      UserError: source_dir isn't the data set's raw folder.
    """
    from kfer.data import datasets

    fields = dict(dataset.options)
    for name, value in fields.items():
        fields[name] = tuple(value) if isinstance(value, list) else value
    options = datasets.ReaderOptions(**fields)
    items = datasets.reader(dataset.name).read(source_dir, options)
    found = {
        item.image_id: item
        for item in items
        if isinstance(item, RawExample) and item.image_id in ids
    }
    if ids and not found:
        raise _other_folder(dataset, source_dir)
    return found


def _other_folder(dataset: Dataset, source_dir: str) -> UserError:
    return UserError(
        f"{source_dir} has none of the pictures shown of {dataset.root}; name the "
        "raw folder that the data set was made from"
    )


def _before(example: RawExample | None, source_dir: str) -> str:
    from kfer.images import decode
    from kfer.preprocess import transforms

    if example is None:
        return ""
    try:
        picture, factor = transforms.load(example, transforms.Settings(source_dir))
    except decode.BadImage:
        return ""
    example = transforms.reduced(example, factor)
    picture = plots.marked(picture, example.eyes, example.box, PICTURE_SIDE)
    return _uri(decode.encode(picture, "jpeg"), "jpeg")


def _rejected(data_dir: str) -> list[dict[str, str]]:
    path = os.path.join(data_dir, dataset_lib.REJECTED)
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [
            json.loads(line) for line, _ in zip(file, range(MAX_REJECTED), strict=False)
        ]

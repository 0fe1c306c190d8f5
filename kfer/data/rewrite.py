"""A prepared data set with other labels: same pictures, same splits, same truth."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kfer.data import dataset as dataset_lib
from kfer.data import record as record_lib
from kfer.data import shards
from kfer.data.dataset import REJECTED, Dataset
from kfer.data.datasets.machine_labels import MachineLabels
from kfer.data.label_noise import LabelNoise
from kfer.data.record import Column, Record, Rejected
from kfer.errors import UserError

Labels = dict[str, Any]
SplitOf = Callable[[str, str], str | Rejected]

# Before a column's name: what was given there before it was corrected.
KEPT = "given_"


def with_noise(dataset: Dataset, noise: LabelNoise, out_dir: str) -> Dataset:
    """Puts simulated label sets on the training split; the rest is as it was.

    Raises:
      UserError: the truth of a column that is made noisy isn't known.
    """
    columns = noise.columns(dataset.columns, dataset.clean_columns)
    train = list(records(dataset, "train"))
    noisy = noise.apply([r.labels for r in train], [r.clean for r in train], columns)
    by_id = {r.image_id: row for r, row in zip(train, noisy, strict=True)}
    return _rewrite(
        dataset,
        out_dir,
        lambda record: by_id.get(record.image_id, record.labels),
        columns,
        noise=noise.requested(),
        command="label_noiser",
    )


def with_machine_labels(
    dataset: Dataset, machine: MachineLabels, out_dir: str
) -> Dataset:
    """Replaces label columns by a machine's, joined by image id.

    The truth stays in the clean columns, so dataset.json tells how noisy they are.

    Raises:
      UserError: an image has no machine label (the first ten are named).
    """
    columns = dict(dataset.columns)
    if machine.expression:
        columns["expression"] = expression_column(dataset)
    if machine.valence_arousal and "valence_arousal" not in columns:
        columns["valence_arousal"] = record_lib.valence_arousal()
    machine.check(r.image_id for s in dataset.splits for r in records(dataset, s))
    return _rewrite(
        dataset,
        out_dir,
        lambda record: record.labels | machine.of(record.image_id),
        columns,
        command="relabeler",
    )


def with_corrections(
    dataset: Dataset,
    split: str,
    corrections: Mapping[str, Mapping[str, Any]],
    out_dir: str,
    provenance: Mapping[str, Any],
) -> Dataset:
    """Replaces single labels of a split; what was given is kept in a column beside.

    Column c keeps what was given as KEPT + c; one that already has such a column, from
    an earlier correction, keeps the oldest.

    Args:
      dataset: to copy.
      split: of it.
      corrections: column -> image id -> new label.
      out_dir: must not exist or be empty.
      provenance: goes into the notes as 'corrections'.

    Raises:
      UserError: no such column, a label that it doesn't allow, or out_dir is taken.
    """
    if unknown := sorted(set(corrections) - set(dataset.columns)):
        raise UserError(
            f"{dataset.root} has no label column {', '.join(unknown)} to correct"
        )
    columns = dict(dataset.columns)
    for name in corrections:
        kept = dataclasses.replace(columns[name], name=KEPT + name)
        columns.setdefault(KEPT + name, kept)
    added = set(columns) - set(dataset.columns)
    ids = {record.image_id for record in records(dataset, split)}

    def labels_of(record: Record) -> Labels:
        old = record.labels
        if record.image_id not in ids:
            return old
        kept = {k: old[n] for n in corrections if (k := KEPT + n) in added and n in old}
        changed = {
            name: rows[record.image_id]
            for name, rows in corrections.items()
            if record.image_id in rows
        }
        return old | kept | changed

    return _rewrite(
        dataset,
        out_dir,
        labels_of,
        columns,
        notes={"corrections": dict(provenance)},
        command=str(provenance.get("command", "")),
    )


def with_splits(
    dataset: Dataset,
    split_of: SplitOf,
    out_dir: str,
    notes: Mapping[str, Any],
    command: str = "",
    overwrite: bool = False,
) -> Dataset:
    """Moves pictures to other splits; labels and truth are as they were.

    Args:
      dataset: to copy.
      split_of: (split, image id) -> new split, or a Rejected to set it aside.
      out_dir: must not exist or be empty, unless `overwrite`; may be the data set's.
      notes: added to the data set's.
      command: noted in dataset.json.
      overwrite: what is there is replaced, once the new one is complete.
    """
    return _rewrite(
        dataset,
        out_dir,
        lambda record: record.labels,
        dataset.columns,
        split_of,
        notes=notes,
        command=command,
        overwrite=overwrite,
    )


def expression_column(dataset: Dataset) -> Column:
    """The column of expressions: the labels', else that of the truth.

    Raises:
      UserError: the data set has neither.
    """
    known = dataset.clean_columns | dataset.columns
    if "expression" not in known:
        raise UserError(
            f"{dataset.root} has no expressions to replace, only {', '.join(known)}"
        )
    return known["expression"]


def records(dataset: Dataset, split: str) -> Iterator[Record]:
    """The records of a split in their stored order; none if it is empty."""
    if not dataset.splits[split].num_records:
        return
    for path in dataset.files(split):
        yield from map(record_lib.decode, shards.read_shard(path))


def _rewrite(
    dataset: Dataset,
    out_dir: str,
    labels_of: Callable[[Record], Labels],
    columns: Mapping[str, Column],
    split_of: SplitOf = lambda split, _: split,
    notes: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Dataset:
    def items() -> Iterator[tuple[str, Record] | Rejected]:
        for split in dataset.splits:
            for record in records(dataset, split):
                new = split_of(split, record.image_id)
                if isinstance(new, Rejected):
                    yield new
                else:
                    yield new, record._replace(labels=labels_of(record))
        yield from _rejected(dataset)

    return dataset_lib.write_items(
        out_dir,
        dataset.name,
        items(),
        columns,
        dataset.clean_columns,
        splits=tuple(dataset.splits),
        image_format=dataset.image_format,
        image_size=dataset.image_size,
        options=dataset.options,
        notes=dataset.notes | {"labels_of": dataset.content_hash} | dict(notes or {}),
        **fields,
    )


def _rejected(dataset: Dataset) -> Iterator[Rejected]:
    path = os.path.join(dataset.root, REJECTED)
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield Rejected(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({error}); prepare the data set again"
        ) from error

"""The steps of the job: chunk files -> aligned records -> shards, and what goes aside.

Each is a function of files and lists, so that this process alone can run them (`run`)
as well as Beam's workers (pipeline.py). Which shard a record goes to and its place
there follow from its id alone, so the bytes are the same whoever runs them.
"""

import dataclasses
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kfer.data import near_copies, reasons
from kfer.data.record import Column, RawExample, Record, Rejected
from kfer.data.shards import Tally, shard_info
from kfer.preprocess import parallel, spill
from kfer.preprocess import rows as rows_lib
from kfer.preprocess.rows import Row
from kfer.preprocess.spill import Shard, Spilled
from kfer.preprocess.transforms import Settings
from kfer.storage import whole

# An earlier split keeps a picture that stands in several.
SPLITS = near_copies.ORDER
LEAK_BUCKETS = 64


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the workers are told.

    Attributes:
      settings: what becomes of a picture.
      folder: where shards, descriptions and rejected rows are written.
      num_shards: split -> shards.
      columns, clean_columns: what the labels mean.
      remove_leaks: whether pictures of a later split that stand in an earlier one go.
      order: of the splits, the one first that keeps a picture of several.
    """

    settings: Settings
    folder: str
    num_shards: dict[str, int]
    columns: dict[str, Column]
    clean_columns: dict[str, Column]
    remove_leaks: bool = True
    order: tuple[str, ...] = SPLITS


class Picture(NamedTuple):
    """A picture as leaks are looked for."""

    fingerprint: bytes
    split: str
    image_id: str
    reason: str  # why it is set aside whether or not it is a leak, or ''
    detail: str
    source: str


def place_of(image_id: str) -> int:
    """A 64-bit number that orders the records of a split as if shuffled."""
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "big")


def shard_of(key: int, num_shards: int) -> int:
    """The shard of a place; shard after shard, places ascend."""
    return key * num_shards >> 64


class Chunk(NamedTuple):
    """What became of a chunk file.

    Attributes:
      records: shard -> where its records wait.
      pictures: all that was decoded.
      rejected: rows set aside.
      counts: what is counted -> how often.
    """

    records: dict[Shard, Spilled]
    pictures: list[Picture]
    rejected: list[Rejected]
    counts: Counter


def prepare(path: str, plan: Plan) -> Chunk:
    """Reads one chunk file, decodes, aligns and encodes its pictures.

    Args:
      path: of the chunk file.
      plan: what the workers are told.
    """
    with open(path, encoding="utf-8") as file:
        rows = [rows_lib.from_json(line) for line in file]
    with_picture = [row for row in rows if _is_wanted(row, plan)]
    rejected = [row.rejected for row in rows if not _is_wanted(row, plan)]
    found = parallel.prepare_all([row.example for row in with_picture], plan.settings)
    counts = Counter(rows=len(rows))
    records: dict[Shard, list[Record]] = {}
    pictures = []
    for row, prepared in zip(with_picture, found, strict=True):
        if isinstance(prepared, Rejected):
            rejected.append(row.rejected or prepared)
            continue
        pictures.append(_picture(row, prepared.fingerprint))
        if not row.rejected:
            shard = _shard(row.example, plan)
            records.setdefault(shard, []).append(prepared.record)
            counts[f"alignment: {prepared.record.alignment}"] += 1
    return Chunk(spill.write(plan.folder, records), pictures, rejected, counts)


def _is_wanted(row: Row, plan: Plan) -> bool:
    # A picture that is set aside anyway only matters for leaks.
    return row.example is not None and (row.rejected is None or plan.remove_leaks)


def _shard(example: RawExample, plan: Plan) -> Shard:
    num_shards = plan.num_shards[example.split]
    return example.split, shard_of(place_of(example.image_id), num_shards)


def _picture(row: Row, fingerprint: bytes) -> Picture:
    reason, detail = ("", "")
    if row.rejected:
        reason, detail = row.rejected.reason, row.rejected.detail
    example = row.example
    return Picture(
        fingerprint, example.split, example.image_id, reason, detail, example.source
    )


def by_bucket(pictures: list[Picture]) -> Iterator[tuple[int, list[Picture]]]:
    """Pictures that may be equal, together."""
    buckets: dict[int, list[Picture]] = {}
    for picture in pictures:
        buckets.setdefault(picture.fingerprint[0] % LEAK_BUCKETS, []).append(picture)
    yield from buckets.items()


def find_leaks(
    bucket: tuple[int, Iterable[list[Picture]]],
    remove: bool,
    order: tuple[str, ...] = SPLITS,
) -> Iterator[Rejected]:
    """Of each picture in several splits, those of all but the first in `order`.

    Also gives back pictures that are set aside for another reason and are no leak.
    """
    pictures = [picture for part in bucket[1] for picture in part]
    splits: dict[bytes, set[str]] = {}
    for picture in pictures:
        splits.setdefault(picture.fingerprint, set()).add(picture.split)
    for picture in pictures:
        earliest = min(splits[picture.fingerprint], key=order.index)
        reason, detail = picture.reason, picture.detail
        if remove and earliest != picture.split:
            reason = reasons.leak(picture.split, earliest)
            detail = f"{earliest} has the same picture"
        if reason:
            yield Rejected(picture.image_id, reason, detail, picture.source)


def write_shard(
    shard: Shard, parts: Iterable[Spilled], leaks: set[str], plan: Plan
) -> str:
    """Writes the records of one shard in their order, without the leaks.

    Args:
      shard: its split and number.
      parts: where its records wait.
      leaks: image ids to leave out.
      plan: what the workers are told.

    Returns:
      The path of the shard; its description is beside it, with .json behind.
    """
    import tensorflow as tf

    split, index = shard
    rows = spill.read(parts, leaks)
    rows.sort(key=lambda row: (place_of(row.image_id), row.image_id))
    tally = Tally()
    for row in rows:
        tally.add(row.summary, plan.columns, plan.clean_columns)
    # A worker may be run twice for one shard; the last to finish renames.
    name = os.path.join(plan.folder, f"{split}-{index:05d}")
    with whole.beside(name) as partial:
        with tf.io.TFRecordWriter(partial) as file:
            for row in rows:
                file.write(row.serialized)
        info = shard_info(partial, len(rows))
    description = {
        "split": split,
        "index": index,
        "info": dataclasses.asdict(info),
        "tally": dataclasses.asdict(tally),
        "alignment": Counter(row.summary.alignment for row in rows),
    }
    _write_text(f"{name}.json", json.dumps(description))
    return name


def write_rejected(parts: Iterable[Iterable[Rejected]], plan: Plan) -> Counter:
    """Writes all rejected rows into one file; returns reason -> how many."""
    rejected = sorted(Rejected(*row) for part in parts for row in part)
    path = os.path.join(plan.folder, "rejected")
    _write_text(path, "\n".join(json.dumps(row) for row in rejected))
    return Counter(row.reason for row in rejected)


def _write_text(path: str, text: str) -> None:
    with whole.beside(path) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)


def run(chunks: Iterable[str], plan: Plan) -> None:
    """The whole job in this process, as pipeline.build describes it for Beam.

    Beam takes longer to load and to start than a small job takes, and gives one machine
    nothing that parallel.processes doesn't.

    Args:
      chunks: paths of the chunk files.
      plan: shards, descriptions and rejected rows are written into its folder.
    """
    records: dict[Shard, list[Spilled]] = {}
    buckets: dict[int, list[list[Picture]]] = {}
    rejected: list[list[Rejected]] = []
    for path in chunks:
        chunk = prepare(path, plan)
        for shard, spilled in chunk.records.items():
            records.setdefault(shard, []).append(spilled)
        for number, pictures in by_bucket(chunk.pictures):
            buckets.setdefault(number, []).append(pictures)
        rejected.append(chunk.rejected)
    found = [
        row
        for bucket in buckets.items()
        for row in find_leaks(bucket, plan.remove_leaks, plan.order)
    ]
    leaks = {row.image_id for row in found}
    write_rejected([*rejected, found], plan)
    for shard in sorted(records):
        write_shard(shard, records.pop(shard), leaks, plan)

"""The Beam part: chunk files -> aligned records -> shards, and what was set aside.

chunks | Prepare -> records by shard, leaks' fingerprints, rejected
fingerprints | FindLeaks -> the ids whose picture stands in an earlier split
records by shard | WriteShard (leaks out, sorted) -> one TFRecord file and its
description rejected | WriteRejected -> one file

Which shard a record goes to and its place there follow from its id alone, so the bytes
don't depend on how many workers there are or which of them is faster. Elements are
lists, since the cost of an element is the same whatever its size; and the records
themselves wait in spill files, so that memory holds only those being worked on.
"""

import dataclasses
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

from kfer.data import reasons
from kfer.data.record import Column, RawExample, Record, Rejected
from kfer.data.shards import Tally, shard_info
from kfer.preprocess import parallel, spill
from kfer.preprocess import rows as rows_lib
from kfer.preprocess.rows import Row
from kfer.preprocess.transforms import Settings
from kfer.storage import whole

NAMESPACE = "kfer"
# An earlier split keeps a picture that stands in several.
SPLITS = ("train", "valid", "test")
LEAK_BUCKETS = 64

PICTURES, REJECTED = "pictures", "rejected"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the workers are told.

    Attributes:
      settings: what becomes of a picture.
      folder: where shards, descriptions and rejected rows are written.
      num_shards: split -> shards.
      columns, clean_columns: what the labels mean.
      remove_leaks: whether pictures of a later split that stand in an earlier one go.
    """

    settings: Settings
    folder: str
    num_shards: dict[str, int]
    columns: dict[str, Column]
    clean_columns: dict[str, Column]
    remove_leaks: bool = True


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


def count(name: str, amount: int = 1) -> None:
    """Adds to a Beam counter."""
    Metrics.counter(NAMESPACE, name).inc(amount)


class Prepare(beam.DoFn):
    """Reads one chunk file and gives its records, pictures and rejected rows."""

    def __init__(self, plan: Plan):
        self._plan = plan

    def process(self, chunk: str) -> Iterator[Any]:
        """Yields (split, shard) -> spill.Spilled, and tagged Pictures and Rejected."""
        with open(chunk, encoding="utf-8") as file:
            rows = [rows_lib.from_json(line) for line in file]
        count("rows", len(rows))
        with_picture = [row for row in rows if self._is_wanted(row)]
        rejected = [row.rejected for row in rows if not self._is_wanted(row)]
        found = parallel.prepare_all(
            [row.example for row in with_picture], self._plan.settings
        )
        records: dict[tuple[str, int], list[Record]] = {}
        pictures = []
        for row, prepared in zip(with_picture, found, strict=True):
            if isinstance(prepared, Rejected):
                rejected.append(row.rejected or prepared)
                continue
            pictures.append(_picture(row, prepared.fingerprint))
            if not row.rejected:
                shard = self._shard(row.example)
                records.setdefault(shard, []).append(prepared.record)
                count(f"alignment: {prepared.record.alignment}")
        yield from spill.write(self._plan.folder, records).items()
        yield beam.pvalue.TaggedOutput(PICTURES, pictures)
        yield beam.pvalue.TaggedOutput(REJECTED, rejected)

    def _is_wanted(self, row: Row) -> bool:
        # A picture that is set aside anyway only matters for leaks.
        return row.example is not None and (
            row.rejected is None or self._plan.remove_leaks
        )

    def _shard(self, example: RawExample) -> tuple[str, int]:
        num_shards = self._plan.num_shards[example.split]
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
    bucket: tuple[int, Iterable[list[Picture]]], remove: bool
) -> Iterator[Rejected]:
    """Of each picture in several splits, those of all but the earliest.

    Also gives back pictures that are set aside for another reason and are no leak.
    """
    pictures = [picture for part in bucket[1] for picture in part]
    splits: dict[bytes, set[str]] = {}
    for picture in pictures:
        splits.setdefault(picture.fingerprint, set()).add(picture.split)
    for picture in pictures:
        earliest = min(splits[picture.fingerprint], key=SPLITS.index)
        reason, detail = picture.reason, picture.detail
        if remove and earliest != picture.split:
            reason = reasons.leak(picture.split, earliest)
            detail = f"{earliest} has the same picture"
        if reason:
            yield Rejected(picture.image_id, reason, detail, picture.source)


class WriteShard(beam.DoFn):
    """Writes the records of one shard in their order, without the leaks."""

    def __init__(self, plan: Plan):
        self._plan = plan

    def process(
        self,
        element: tuple[tuple[str, int], Iterable[spill.Spilled]],
        leaks: set[str],
    ) -> Iterator[str]:
        """Yields the path of the shard's description."""
        import tensorflow as tf

        (split, index), parts = element
        rows = spill.read(parts, leaks)
        rows.sort(key=lambda row: (place_of(row.image_id), row.image_id))
        tally = Tally()
        for row in rows:
            tally.add(row.summary, self._plan.columns, self._plan.clean_columns)
        # A worker may be run twice for one shard; the last to finish renames.
        name = os.path.join(self._plan.folder, f"{split}-{index:05d}")
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
        count("records written", len(rows))
        yield name


class WriteRejected(beam.DoFn):
    """Writes all rejected rows into one file."""

    def __init__(self, plan: Plan):
        self._plan = plan

    def process(self, element: tuple[None, Iterable[list[Rejected]]]) -> Iterator[str]:
        """Yields the file's path."""
        rejected = sorted(Rejected(*row) for part in element[1] for row in part)
        for reason, amount in Counter(row.reason for row in rejected).items():
            count(f"rejected: {reason}", amount)
        path = os.path.join(self._plan.folder, "rejected")
        _write_text(path, "\n".join(json.dumps(row) for row in rejected))
        yield path


def _write_text(path: str, text: str) -> None:
    with whole.beside(path) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)


def build(pipeline: beam.Pipeline, chunks: list[str], plan: Plan) -> None:
    """Adds the whole job to a pipeline; it writes into plan.folder."""
    prepared = (
        pipeline
        | "ChunkNames" >> beam.Create(chunks)
        | "Spread" >> beam.Reshuffle()
        | "Prepare"
        >> beam.ParDo(Prepare(plan)).with_outputs(PICTURES, REJECTED, main="records")
    )
    leaks = (
        prepared[PICTURES]
        | "ByBucket" >> beam.FlatMap(by_bucket)
        | "SamePicture" >> beam.GroupByKey()
        | "FindLeaks" >> beam.FlatMap(find_leaks, remove=plan.remove_leaks)
    )
    leaked_ids = beam.pvalue.AsSingleton(
        leaks
        | "LeakId" >> beam.Map(lambda row: row.image_id)
        | "LeakIds" >> beam.CombineGlobally(beam.combiners.ToListCombineFn())
        | "AsSet" >> beam.Map(set)
    )
    _ = (
        prepared["records"]
        | "ByShard" >> beam.GroupByKey()
        | "WriteShard" >> beam.ParDo(WriteShard(plan), leaked_ids)
    )
    _ = (
        (prepared[REJECTED], leaks | "AsList" >> beam.Map(lambda row: [row]))
        | "AllRejected" >> beam.Flatten()
        | "Together" >> beam.Map(lambda rows: (None, rows))
        | "Rejected" >> beam.GroupByKey()
        | "WriteRejected" >> beam.ParDo(WriteRejected(plan))
    )

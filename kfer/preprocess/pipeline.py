"""The Beam part: the steps of the job as transforms.

chunks | Prepare -> records by shard, leaks' fingerprints, rejected
fingerprints | FindLeaks -> the ids whose picture stands in an earlier split
records by shard | WriteShard (leaks out, sorted) -> one TFRecord file and its
description rejected | WriteRejected -> one file

The bytes don't depend on how many workers there are or which of them is faster, see
steps.py. Elements are lists, since the cost of an element is the same whatever its
size; and the records themselves wait in spill files, so that memory holds only those
being worked on.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.metrics import Metrics

from kfer.data.record import Rejected
from kfer.preprocess import steps
from kfer.preprocess.spill import Shard, Spilled
from kfer.preprocess.steps import Plan

NAMESPACE = "kfer"
PICTURES, REJECTED = "pictures", "rejected"


def count(name: str, amount: int = 1) -> None:
    """Adds to a Beam counter."""
    Metrics.counter(NAMESPACE, name).inc(amount)


class Prepare(beam.DoFn):
    """Reads one chunk file and gives its records, pictures and rejected rows."""

    def __init__(self, plan: Plan):
        self._plan = plan

    def process(self, chunk: str) -> Iterator[Any]:
        """Yields (split, shard) -> spill.Spilled, and tagged Pictures and Rejected."""
        found = steps.prepare(chunk, self._plan)
        for name, amount in found.counts.items():
            count(name, amount)
        yield from found.records.items()
        yield beam.pvalue.TaggedOutput(PICTURES, found.pictures)
        yield beam.pvalue.TaggedOutput(REJECTED, found.rejected)


class WriteShard(beam.DoFn):
    """Writes the records of one shard in their order, without the leaks."""

    def __init__(self, plan: Plan):
        self._plan = plan

    def process(
        self, element: tuple[Shard, Iterable[Spilled]], leaks: set[str]
    ) -> Iterator[str]:
        """Yields the path of the shard."""
        yield steps.write_shard(*element, leaks, self._plan)


class WriteRejected(beam.DoFn):
    """Writes all rejected rows into one file."""

    def __init__(self, plan: Plan):
        self._plan = plan

    def process(self, element: tuple[None, Iterable[list[Rejected]]]) -> None:
        """Writes them."""
        for reason, amount in steps.write_rejected(element[1], self._plan).items():
            count(f"rejected: {reason}", amount)


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
        | "ByBucket" >> beam.FlatMap(steps.by_bucket)
        | "SamePicture" >> beam.GroupByKey()
        | "FindLeaks"
        >> beam.FlatMap(steps.find_leaks, remove=plan.remove_leaks, order=plan.order)
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

"""Records on their way to their shards, in files instead of in memory.

The runner holds all that goes from the workers who prepare to those who write: of a
million rows a million encoded pictures. So a worker writes the records of a chunk into
one file of the job's folder and passes on where each begins.
"""

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kfer.data import record as record_lib
from kfer.data.record import Record

Shard = tuple[str, int]


class Spilled(NamedTuple):
    """Records of one shard in one spill file, in the order of `ids`."""

    file: str  # path
    ids: list[str]
    offsets: list[int]  # where each record begins
    sizes: list[tuple[int, int]]  # bytes of the record, and of its summary after it


class Read(NamedTuple):
    """A record of a spill file."""

    image_id: str
    summary: Record  # without its picture, for counting
    serialized: bytes


def write(
    folder: str, records: Mapping[Shard, Iterable[Record]]
) -> dict[Shard, Spilled]:
    """Writes a spill file; its name is new, so a worker may be run twice.

    Args:
      folder: the job's.
      records: shard -> records of it.
    """
    name = os.path.join(folder, f"spill-{uuid.uuid4().hex}")
    found: dict[Shard, Spilled] = {}
    with open(name, "wb") as file:
        for shard, rows in records.items():
            spilled = Spilled(name, [], [], [])
            for record in rows:
                data, summary = record_lib.encode(record), _summary(record)
                spilled.ids.append(record.image_id)
                spilled.offsets.append(file.tell())
                spilled.sizes.append((len(data), len(summary)))
                file.write(data)
                file.write(summary)
            found[shard] = spilled
    return found


def read(parts: Iterable[Spilled], without: set[str]) -> list[Read]:
    """The records of a shard, in any order.

    Args:
      parts: of the shard.
      without: image ids to leave out.
    """
    found = []
    for part in parts:
        rows = zip(part.ids, part.offsets, part.sizes, strict=True)
        with open(part.file, "rb") as file:
            for image_id, offset, (size, more) in rows:
                if image_id not in without:
                    file.seek(offset)
                    serialized, summary = file.read(size), file.read(more)
                    record = _from_summary(image_id, summary)
                    found.append(Read(image_id, record, serialized))
    return found


def _summary(record: Record) -> bytes:
    parts = [record.labels, record.clean, record.alignment]
    return json.dumps(parts).encode()


def _from_summary(image_id: str, data: bytes) -> Record:
    labels, clean, alignment = json.loads(data)
    return Record(image_id, b"", _tuples(labels), _tuples(clean), alignment=alignment)


def _tuples(labels: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in labels.items()}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value

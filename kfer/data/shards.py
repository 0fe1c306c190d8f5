"""TFRecord shards: reading, writing, describing and counting them."""

import collections
import contextlib
import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

from kfer.data import record as record_lib
from kfer.data import shard_files
from kfer.data.record import Column, Record
from kfer.errors import UserError
from kfer.storage import whole

# A record at a time costs more than reading it.
_AT_ONCE = 64


@dataclasses.dataclass(frozen=True)
class ShardInfo:
    """One TFRecord file: its base name, size and SHA-256 in hex."""

    file: str
    num_records: int
    num_bytes: int
    sha256: str


def read_shard(path: str) -> Iterator[bytes]:
    """The serialized records of one shard, every CRC checked.

    Raises:
      UserError: the file is cut off or its bytes changed.
    """
    import tensorflow as tf

    shard_files.check_lengths(path)
    try:
        records = tf.data.TFRecordDataset(path).batch(_AT_ONCE)
        for batch in records.as_numpy_iterator():
            yield from batch
    except tf.errors.OpError as error:
        raise UserError(
            f"{path} is not a whole TFRecord file ({error.message.splitlines()[0]}); "
            "prepare the data set again"
        ) from error


def shard_info(path: str, num_records: int | None = None) -> ShardInfo:
    """Describes a written shard; counts its records by reading it if not told."""
    if num_records is None:
        num_records = sum(1 for _ in read_shard(path))
    return ShardInfo(
        os.path.basename(path),
        num_records,
        os.path.getsize(path),
        shard_files.sha256(path),
    )


def shard_name(split: str, index: int, count: int) -> str:
    """'train-00000-of-00003.tfrecord'."""
    return f"{split}-{index:05d}-of-{count:05d}.tfrecord"


@dataclasses.dataclass
class Tally:
    """What is counted while records are written; adding two joins their counts.

    Attributes:
      counts: feature ('label/<column>' or 'clean/<column>') -> records by class.
      given: feature -> records that have a value.
      compared: categorical label column -> (labels that disagree with the truth,
        labels where both are known); of a crowd column every annotator's counts.
      longest: crowd column -> labels of one picture at most.
    """

    counts: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    given: dict[str, int] = dataclasses.field(default_factory=dict)
    compared: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    longest: dict[str, int] = dataclasses.field(default_factory=dict)

    def add(
        self, record: Record, columns: Mapping[str, Column], clean: Mapping[str, Column]
    ) -> None:
        """Counts one record.

        Raises:
          UserError: a value that its column doesn't allow.
        """
        for prefix, declared, values in (
            (record_lib.LABEL, columns, record.labels),
            (record_lib.CLEAN, clean, record.clean),
        ):
            for name, value in values.items():
                if name not in declared:
                    raise UserError(
                        f"Record {record.image_id} has the column {name!r}; declared "
                        f"are {sorted(declared)}"
                    )
                if problem := declared[name].problem(value):
                    raise UserError(f"Record {record.image_id}: {problem}")
                self._count(prefix + name, declared[name], value)
        for name, value in record.labels.items():
            truth = truth_of(columns[name], clean)
            if truth and truth in record.clean:
                differ, known = self.compared.get(name, (0, 0))
                said = _labels_in(columns[name], value)
                differ += sum(label != record.clean[truth] for label in said)
                self.compared[name] = (differ, known + len(said))
            if columns[name].annotators:
                self.longest[name] = max(self.longest.get(name, 0), len(value))

    def _count(self, feature: str, column: Column, value: Any) -> None:
        self.given[feature] = self.given.get(feature, 0) + 1
        if column.is_categorical:
            counts = self.counts.setdefault(feature, [0] * column.size)
            for label in _labels_in(column, value):
                counts[int(label)] += 1

    def __add__(self, other: "Tally") -> "Tally":
        given = collections.Counter(self.given) + collections.Counter(other.given)
        joined = Tally(given=dict(given))
        for tally in (self, other):
            for feature, counts in tally.counts.items():
                before = joined.counts.get(feature, [0] * len(counts))
                joined.counts[feature] = [
                    a + b for a, b in zip(before, counts, strict=True)
                ]
            for name, (differ, known) in tally.compared.items():
                before = joined.compared.get(name, (0, 0))
                joined.compared[name] = (before[0] + differ, before[1] + known)
            for name, count in tally.longest.items():
                joined.longest[name] = max(count, joined.longest.get(name, 0))
        return joined


def _labels_in(column: Column, value: Any) -> list[Any]:
    """The labels of a record: each annotator's of a crowd, else the one."""
    return [label for _, label in value] if column.annotators else [value]


def truth_of(column: Column, clean_columns: Mapping[str, Column]) -> str:
    """The clean column a categorical label column is an account of, or ''.

    The one it names, else the one of its own name, else the first of the same classes.
    """
    if column.target and column.is_categorical:
        return column.target if column.target in clean_columns else ""
    alike = [
        name
        for name, clean in clean_columns.items()
        if column.is_categorical and clean.classes == column.classes
    ]
    return column.name if column.name in alike else (alike or [""])[0]


class SplitWriter:
    """Writes one split's records into numbered shards of a folder.

    Args:
      folder: where the shards go.
      split: their split.
      columns, clean_columns: what the records' labels mean.
      records_per_shard: the last shard may have fewer.
    """

    def __init__(
        self,
        folder: str,
        split: str,
        columns: Mapping[str, Column],
        clean_columns: Mapping[str, Column],
        records_per_shard: int = 4096,
    ):
        self.tally = Tally()
        self._folder, self._split, self._limit = folder, split, records_per_shard
        self._columns, self._clean_columns = columns, clean_columns
        self._sizes: list[int] = []
        self._file = None

    def add(self, record: Record) -> None:
        """Appends one record."""
        import tensorflow as tf

        self.tally.add(record, self._columns, self._clean_columns)
        if self._file is None or self._sizes[-1] == self._limit:
            self._close_file()
            self._file = tf.io.TFRecordWriter(self._path(len(self._sizes)))
            self._sizes.append(0)
        self._file.write(record_lib.encode(record))
        self._sizes[-1] += 1

    def close(self) -> list[ShardInfo]:
        """Ends the split: gives the shards their names and describes them."""
        self._close_file()
        infos = []
        for index, size in enumerate(self._sizes):
            name = shard_name(self._split, index, len(self._sizes))
            path = os.path.join(self._folder, name)
            os.rename(self._path(index), path)
            whole.sync(path)
            infos.append(shard_info(path, size))
        return infos

    def abandon(self) -> None:
        """Closes the open file, whatever becomes of it."""
        with contextlib.suppress(Exception):
            self._close_file()

    def _path(self, index: int) -> str:
        return os.path.join(self._folder, f"{self._split}-{index:05d}")

    def _close_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


class SplitWriters:
    """A SplitWriter for each split, made when its first record comes.

    Args:
      folder: where the shards go.
      columns, clean_columns: what the records' labels mean.
      records_per_shard: the last shard of a split may have fewer.
      splits: these exist even if no record comes.
    """

    def __init__(
        self,
        folder: str,
        columns: Mapping[str, Column],
        clean_columns: Mapping[str, Column],
        records_per_shard: int = 4096,
        splits: tuple[str, ...] = (),
    ):
        self._arguments = columns, clean_columns, records_per_shard
        self._folder = folder
        self._ids: set[str] = set()
        self.by_split: dict[str, SplitWriter] = {}
        for split in splits:
            self._writer(split)

    def _writer(self, split: str) -> SplitWriter:
        if split not in self.by_split:
            self.by_split[split] = SplitWriter(self._folder, split, *self._arguments)
        return self.by_split[split]

    def close(self) -> dict[str, list[ShardInfo]]:
        """Ends every split; returns its shards."""
        return {split: writer.close() for split, writer in self.by_split.items()}

    @property
    def tallies(self) -> dict[str, Tally]:
        """What was counted in each split."""
        return {split: writer.tally for split, writer in self.by_split.items()}

    def add(self, split: str, record: Record) -> None:
        """Appends one record; UserError if its id was seen or a label is no label."""
        if record.image_id in self._ids:
            raise UserError(
                f"Two records have the id {record.image_id!r}; ids must be unique"
            )
        self._ids.add(record.image_id)
        self._writer(split).add(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for writer in self.by_split.values():
            writer.abandon()

"""Pictures of a prepared data set by split, label and agreement, a few at a time."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from kfer.data import dataset as dataset_lib
from kfer.data import record as record_lib
from kfer.data import shards
from kfer.data.record import Record
from kfer.errors import UserError

# How the class columns of a picture may stand to each other.
AGREE, DIFFER = "agree", "differ"
AGREEMENTS = ("", AGREE, DIFFER)
# TFRecord: the length in 8 bytes, its CRC in 4, the record, its CRC in 4.
_BEFORE, _AFTER = 12, 4


class _Place(NamedTuple):
    """Where a record lies, and the classes that it has."""

    path: str
    offset: int
    length: int
    classes: dict[str, int]


class Browser:
    """Finds pictures by their labels; holds no picture in memory.

    Args:
      data_dir: a prepared data set; read once, every CRC checked.

    Raises:
      UserError: it is none, or damaged.
    """

    def __init__(self, data_dir: str):
        self.dataset = dataset_lib.load(data_dir)
        self.columns = {
            name: column.classes
            for name, column in self.dataset.columns.items()
            if column.is_categorical and not column.annotators
        }
        self.splits = [
            name for name, info in self.dataset.splits.items() if info.num_records
        ]
        self._places = {split: list(self._scan(split)) for split in self.splits}

    def _scan(self, split: str) -> Iterator[_Place]:
        for path in self.dataset.files(split):
            offset = 0
            for serialized in shards.read_shard(path):
                labels = record_lib.decode(serialized).labels
                classes = {
                    name: labels[name] for name in self.columns if name in labels
                }
                yield _Place(path, offset, len(serialized), classes)
                offset += _BEFORE + len(serialized) + _AFTER

    def find(
        self, split: str, column: str = "", name: str = "", agreement: str = ""
    ) -> list[int]:
        """Numbers of the pictures of a split, in stored order.

        Args:
          split: of the data set.
          column: whose class counts; '' for any.
          name: of the class that it says; '' for any.
          agreement: AGREE for pictures that several class columns call the same,
            DIFFER for those that they don't; '' for all.

        Raises:
          UserError: there is no such split, column, class or agreement.
        """
        if split not in self._places:
            raise UserError(f"No split {split!r}; there are {', '.join(self.splits)}")
        if column and column not in self.columns:
            raise UserError(f"No class column {column!r}; {', '.join(self.columns)}")
        if agreement not in AGREEMENTS:
            raise UserError(f"Labels {AGREE} or {DIFFER}, not {agreement!r}")
        known = self.columns.get(column, ())
        if name and name not in known:
            raise UserError(f"No class {name!r} of column {column!r}")
        wanted = known.index(name) if name else None
        return [
            number
            for number, place in enumerate(self._places[split])
            if (not column or column in place.classes)
            and (wanted is None or place.classes[column] == wanted)
            and agreement in ("", _agreement(place.classes))
        ]

    def record(self, split: str, number: int) -> Record | None:
        """A picture with all its labels, or None if there is no such one.

        Raises:
          UserError: its shard has gone or changed.
        """
        places = self._places.get(split, [])
        if not 0 <= number < len(places):
            return None
        place = places[number]
        try:
            with open(place.path, "rb") as file:
                file.seek(place.offset)
                head = file.read(_BEFORE)
                data = file.read(place.length)
        except OSError as error:
            raise UserError(f"Can't read {place.path}: {error.strerror}") from error
        whole = len(data) == place.length and len(head) == _BEFORE
        if not whole or struct.unpack("<Q", head[:8])[0] != place.length:
            raise UserError(f"{place.path} was changed; start again")
        return record_lib.decode(data)

    def described(self, labels: dict) -> dict[str, str]:
        """Column -> what it says, as people write it."""
        found = {}
        for column, value in labels.items():
            classes = self.columns.get(column, ()) or self._truth(column)
            found[column] = classes[value] if classes else _values(value)
        return found

    def _truth(self, column: str) -> tuple[str, ...]:
        known = self.dataset.clean_columns.get(column)
        return known.classes if known else ()


def _agreement(classes: dict[str, int]) -> str | None:
    """AGREE or DIFFER; None of fewer than two labels."""
    if len(classes) < 2:
        return None
    return AGREE if len(set(classes.values())) == 1 else DIFFER


def _values(value) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return f"{len(value)} labels"
    return " ".join(f"{one:.2f}" for one in value)

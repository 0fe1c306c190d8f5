"""Columns that count the votes for one class each -> label sets drawn from them."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import names as names_lib
from kfer.data import record as record_lib
from kfer.data import tables
from kfer.data.importing import values
from kfer.data.importing.options import TableOptions, is_missing
from kfer.data.importing.reading import Table
from kfer.data.record import Column

ONE_HOT, COUNTS, SHARES = "one-hot labels", "vote counts", "shares"


@dataclasses.dataclass(frozen=True)
class Votes:
    """Votes of a table.

    Attributes:
      target: their truth.
      counts: float64 [rows, K], in the order of its classes.
      kind: ONE_HOT, COUNTS or SHARES.
      faults: row -> what is wrong.
      dropped: votes for what is no class, such as 'unknown', by row.
      num_annotators: label sets that are drawn; 1 of one-hot labels.
    """

    target: Column
    counts: np.ndarray
    kind: str
    faults: Mapping[int, str]
    dropped: np.ndarray
    num_annotators: int

    def columns(self) -> dict[str, Column]:
        """The label columns by name."""
        if self.kind == ONE_HOT:
            return {self.target.name: self.target}
        names = [f"annotator_{i}" for i in range(1, self.num_annotators + 1)]
        target = self.target.name
        return {
            name: dataclasses.replace(self.target, name=name, target=target)
            for name in names
        }

    def labels(self, row: int, image_id: str) -> dict[str, int]:
        """Label column -> class of a picture, the same whenever it is asked for.

        Votes are drawn one after the other, each at most once; of shares each draw is
        one of its own.
        """
        counts = self.counts[row]
        if not counts.sum() > 0:
            return {}
        if self.kind == ONE_HOT:
            return {self.target.name: int(counts.argmax())}
        rng = tables.image_rng(0, image_id, "votes")
        if self.kind == COUNTS:
            votes = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
            drawn = rng.permutation(votes)[: self.num_annotators]
        else:
            share = counts / counts.sum()
            drawn = rng.choice(len(counts), self.num_annotators, p=share)
        return dict(zip(self.columns(), map(int, drawn), strict=False))

    def describe(self) -> str:
        """In words."""
        drawn = (
            ""
            if self.kind == ONE_HOT
            else (f", of which {self.num_annotators} label sets are drawn")
        )
        return f"{self.kind} of {', '.join(self.target.classes)}{drawn}"


def of_table(
    table: Table, headers: Mapping[str, str], options: TableOptions
) -> Votes | None:
    """The votes of a table; None where it has none.

    Args:
      table: as read.
      headers: class -> header, see roles.
      options: num_annotators, decimal.
    """
    if not headers:
        return None
    counts, faults = _counts(table, headers, options)
    known = tuple(name for name in tasks_lib.EXPRESSIONS if name in headers)
    if len(known) >= 3:
        classes = tasks_lib.EXPRESSIONS[: 8 if "contempt" in known else 7]
        name = "expression"
    else:
        classes, name = tuple(headers), names_lib.safe_names(["label"])["label"]
    by_name = dict(zip(headers, counts.T, strict=True))
    nobody = np.zeros(len(counts))
    inside = np.stack([by_name.get(c, nobody) for c in classes], axis=1)
    outside = [by_name[c] for c in headers if c not in classes]
    target = record_lib.categorical(name, classes)
    good = counts[[row for row in range(len(counts)) if row not in faults]]
    kind = _kind(good)
    number = 1 if kind == ONE_HOT else options.num_annotators
    return Votes(target, inside, kind, faults, sum(outside, nobody), number)


def _counts(
    table: Table, headers: Mapping[str, str], options: TableOptions
) -> tuple[np.ndarray, dict[int, str]]:
    found = np.zeros((len(table.cells), len(headers)))
    faults: dict[int, str] = {}
    for index, header in enumerate(headers.values()):
        for row, text in enumerate(table.cells[header]):
            value = values.number(text, options.decimal)
            if value is not None and value >= 0:
                found[row, index] = value
            elif not is_missing(text, options):
                faults[row] = f"column {header!r}: {text[:40]!r} votes"
    return found, faults


def _kind(counts: np.ndarray) -> str:
    totals = counts.sum(axis=1)
    if np.all(counts == counts.round()):
        single = np.all((totals == 1) | (totals == 0)) and counts.max(initial=0) <= 1
        return ONE_HOT if single else COUNTS
    return SHARES

"""Columns that count votes for a class each -> the votes, and labels drawn of them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from kfer.data import label_orders, reasons, tables
from kfer.data import names as names_lib
from kfer.data import record as record_lib
from kfer.data.importing import values, vote_columns
from kfer.data.importing.coding import Coded
from kfer.data.importing.headers import Labels
from kfer.data.importing.options import TableOptions, is_missing
from kfer.data.importing.table import Table
from kfer.data.record import VOTES, Column
from kfer.errors import UserError

ONE_HOT, COUNTS, SHARES = "one-hot labels", "vote counts", "shares"
# One-hot labels where at most this share of the rows marks more classes than one.
_FEW = 0.05
# So many votes of a picture are laid out one by one to be drawn from.
_PILE = 10_000
# More is no count, and sums of it may have no end.
_MOST = 1e15


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
        target, classes = self.target.name, self.target.classes
        drawn = {
            name: dataclasses.replace(self.target, name=name, target=target)
            for name in self._drawn()
        }
        return drawn | {VOTES: record_lib.votes(VOTES, classes, target)}

    def _drawn(self) -> list[str]:
        return [f"annotator_{i}" for i in range(1, self.num_annotators + 1)]

    def labels(self, row: int, image_id: str) -> dict[str, Any]:
        """Label column -> class of a picture, the same whenever it is asked for.

        Votes are drawn one after the other, each at most once; of shares each draw is
        one of its own. Beside them stand the votes themselves.
        """
        counts = self.counts[row]
        if not counts.sum() > 0:
            return {}
        if self.kind == ONE_HOT:
            return {self.target.name: int(counts.argmax())}
        rng = tables.image_rng(0, image_id, "votes")
        if self.kind == COUNTS and counts.sum() <= _PILE:
            votes = np.repeat(np.arange(len(counts)), counts.astype(np.int64))
            drawn = rng.permutation(votes)[: self.num_annotators]
        elif self.kind == COUNTS:
            drawn = _drawn(counts, self.num_annotators, rng)
        else:
            share = counts / counts.sum()
            drawn = rng.choice(len(counts), self.num_annotators, p=share)
        found: dict[str, Any] = dict(zip(self._drawn(), map(int, drawn), strict=False))
        return found | {VOTES: tuple(map(float, counts))}

    def describe(self) -> str:
        """In words."""
        drawn = (
            ""
            if self.kind == ONE_HOT
            else f", kept, and {self.num_annotators} label sets drawn from them"
        )
        return f"{self.kind} of {', '.join(self.target.classes)}{drawn}"


def _drawn(counts: np.ndarray, number: int, rng: np.random.Generator) -> list[int]:
    """Classes of votes that are drawn one after the other, each at most once."""
    left, found = counts.copy(), []
    for _ in range(number):
        found.append(int(rng.choice(len(left), p=left / left.sum())))
        left[found[-1]] -= 1
    return found


def of_table(
    table: Table, headers: Mapping[str, str], options: TableOptions, of: str = ""
) -> Votes | None:
    """The votes of a table; None where it has none.

    Args:
      table: as read.
      headers: class -> header, see roles.
      options: num_annotators, decimal.
      of: the truth that is voted on; '' where no header says.
    """
    if not headers:
        return None
    counts, faults = _counts(table, headers, options)
    classes, name = vote_columns.classes_of(headers, options), "expression"
    if not all(name in label_orders.NAMES for name in headers):
        truth = of or "label"
        name = names_lib.safe_names([truth])[truth]
    by_name = dict(zip(headers, counts.T, strict=True))
    nobody = np.zeros(len(counts))
    inside = np.stack([by_name.get(c, nobody) for c in classes], axis=1)
    outside = [by_name[c] for c in headers if c not in classes]
    target = record_lib.categorical(name, classes)
    good = counts[[row for row in range(len(counts)) if row not in faults]]
    kind = SHARES if _in_percent(table, headers) else _kind(good)
    if kind == ONE_HOT:
        marked = counts.sum(axis=1)
        faults |= {
            row: f"{marked[row]:g} classes are marked, expected one"
            for row in np.flatnonzero(marked > 1).tolist()
        }
    number = 1 if kind == ONE_HOT else options.num_annotators
    return Votes(target, inside, kind, faults, sum(outside, nobody), number)


def _counts(
    table: Table, headers: Mapping[str, str], options: TableOptions
) -> tuple[np.ndarray, dict[int, str]]:
    found = np.zeros((len(table.cells), len(headers)))
    faults: dict[int, str] = {}
    for index, header in enumerate(headers.values()):
        for row, text in enumerate(table.cells[header]):
            value = values.number(text.strip().removesuffix("%"), options.decimal)
            if value is not None and 0 <= value <= _MOST:
                found[row, index] = value
            elif not is_missing(text, options):
                faults[row] = f"column {header!r}: {text[:40]!r} votes"
    return found, faults


def _in_percent(table: Table, headers: Mapping[str, str]) -> bool:
    return any(table.cells[h].str.contains("%").any() for h in headers.values())


def _kind(counts: np.ndarray) -> str:
    totals = counts.sum(axis=1)
    if np.all(counts == counts.round()):
        several = np.sum(totals > 1) > _FEW * np.sum(totals > 0)
        return COUNTS if several or counts.max(initial=0) > 1 else ONE_HOT
    return SHARES


def one_each(
    table: Table, found: Votes, headers: Mapping[str, str]
) -> tuple[Labels, Coded]:
    """One-hot labels of a long table, each the label of its row's annotator.

    Args:
      table: as read.
      found: see of_table.
      headers: class -> header.

    Raises:
      UserError: they are counts or shares.
    """
    if found.kind != ONE_HOT:
        raise UserError(
            f"{table.name} has {found.kind} in {', '.join(headers.values())} and "
            "several rows a picture; give one row a picture with the sums, or mark one "
            "class in each row with 1"
        )
    empty = found.counts.sum(axis=1) == 0
    codes = np.where(empty, -1, found.counts.argmax(axis=1))
    faults = {row: (reasons.BAD_VOTES, text) for row, text in found.faults.items()}
    for row in np.flatnonzero(empty & (found.dropped > 0)).tolist():
        faults.setdefault(row, (reasons.no_expression("no class"), "no class marked"))
    header = f"one-hot {found.target.name}"
    return Labels(header, found.target.name), Coded(codes.astype(np.int64), faults)

"""A table of kfer-experiments: rows, their cells and what each number is."""

import dataclasses
from collections.abc import Collection, Iterable

from kfer.experiments.cells import Cell


@dataclasses.dataclass(frozen=True)
class Entry:
    """One number of a table.

    Attributes:
      setting, method: of its cells, one for each seed.
      target: what is predicted.
      measure: of kfer.metrics.suite: 'accuracy', 'ccc' or 'mse'.
      printed: the paper's number, in the unit shown (accuracy in percent); None if the
        paper has none.
    """

    setting: str
    method: str
    target: str
    measure: str = "accuracy"
    printed: float | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A table or figure.

    Attributes:
      name: a key of TABLES.
      title: shown above it.
      heads: of the columns of entries.
      rows: label -> an entry, or None, for each head.
      figure: 'curves' (Fig. 3), 'samples' (Fig. 4), or '' for a table.
      methods: of its entries, that it is narrowed to; () are all.
      against: a method; every other's paired difference to it is shown, and rows come
        in order of their numbers. '' shows none, in the order of `rows`.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    rows: dict[str, tuple[Entry | None, ...]]
    figure: str = ""
    against: str = ""
    methods: tuple[str, ...] = ()

    @property
    def entries(self) -> list[Entry]:
        """All entries, row by row."""
        return [entry for row in self.rows.values() for entry in row if entry]

    def narrowed(self, methods: Collection[str]) -> "Table":
        """The table with the entries of these methods alone; all if there are none.

        A table that compares everything with one method takes methods that it has no
        row of, such as ltnet+sce, as rows of their own names.
        """
        if not methods:
            return self
        rows = {
            label: tuple(e if e and e.method in methods else None for e in row)
            for label, row in (self.rows | self._further(methods)).items()
        }
        kept = {label: row for label, row in rows.items() if any(row)}
        there = {entry.method for row in kept.values() for entry in row if entry}
        mine = tuple(method for method in methods if method in there)
        return dataclasses.replace(self, rows=kept, methods=mine)

    def _further(self, methods: Collection[str]) -> dict[str, tuple[Entry, ...]]:
        known = {entry.method for entry in self.entries}
        like = [entry for entry in self.entries if entry.method == self.against]
        return {
            method: tuple(dataclasses.replace(entry, method=method) for entry in like)
            for method in methods
            if like and method not in known
        }

    def cells(self, seeds: Iterable[int]) -> list[Cell]:
        """Each cell once, one seed after the other."""
        pairs = dict.fromkeys((entry.setting, entry.method) for entry in self.entries)
        return [Cell(*pair, seed) for seed in seeds for pair in pairs]

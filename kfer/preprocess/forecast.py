"""What a table and the names of its pictures tell of an import before it is run."""

import dataclasses
from collections import Counter
from collections.abc import Iterable

from kfer.data import reasons
from kfer.data.record import Rejected
from kfer.images import files
from kfer.images.decode import MISSING, BadImage
from kfer.preprocess import rows as rows_lib
from kfer.preprocess.rows import Row


@dataclasses.dataclass(frozen=True)
class Forecast:
    """What would be set aside.

    Attributes:
      rows: all that is counted, as a job counts: a picture, or a row set aside.
      rejected: reason -> how many.
      first: reason -> its first few.
    """

    rows: int
    rejected: Counter[str]
    first: dict[str, list[Rejected]]

    def refusal(self, max_rejected: float) -> str:
        """Why an import would write nothing; '' if too few are faulty for that.

        Args:
          max_rejected: see job.Job.
        """
        excess = reasons.excess(self.rejected, self.rows, max_rejected)
        if not excess:
            return ""
        return f"Too many are faulty ({excess}): the import would write nothing"

    def describe(self) -> str:
        """In lines: how many and why, with the first of each."""
        total = sum(self.rejected.values())
        lines = [f"would be set aside: {total} of {self.rows} rows and pictures"]
        for reason, number in sorted(self.rejected.items()):
            lines.append(f"  {number} {reason}")
            lines += [f"    {rows_lib.in_words(row)}" for row in self.first[reason]]
        lines.append(
            "no picture was opened: those that can't be read and copies in two splits "
            "are found by the import itself"
        )
        return "\n".join(lines)


def of(rows: Iterable[Row], root: str) -> Forecast:
    """Counts what would be set aside, pictures that are not there among it.

    Args:
      rows: see rows.read.
      root: folder that picture names start from.
    """
    count, rejected = 0, Counter[str]()
    first: dict[str, list[Rejected]] = {}
    for row in rows:
        count += 1
        if (found := row.rejected or _missing(row, root)) is not None:
            rejected[found.reason] += 1
            rows_lib.keep_first(first, found)
    return Forecast(count, rejected, first)


def _missing(row: Row, root: str) -> Rejected | None:
    """Why a good row's picture can't be there; None where it is, or is in the row."""
    example = row.example
    if example is None or not isinstance(example.image, str):
        return None
    try:
        if files.find(root, example.image) is not None:
            return None
        reason, detail = MISSING, f"no file {example.image!r}"
    except BadImage as error:
        reason, detail = error.reason, error.detail
    return Rejected(example.image_id, reason, detail, example.source)

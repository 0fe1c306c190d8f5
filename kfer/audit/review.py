"""An audit's most suspicious class labels, put before people one by one."""

import csv
import os
import threading
from typing import NamedTuple

from kfer.audit import decisions as decisions_lib
from kfer.audit import files
from kfer.audit.decisions import Decision
from kfer.data import dataset as dataset_lib
from kfer.data import rewrite, shard_files
from kfer.errors import UserError
from kfer.training import run_folder

# Of one review: their pictures are held in memory.
MOST = 500
DECISIONS = "decisions.jsonl"


class Suspect(NamedTuple):
    """A label that may be wrong: a row of corrected.csv."""

    image_id: str
    column: str
    given: str
    proposed: str
    suspicion: float
    why: str


class Review:
    """The suspects of an audit, worst first, and what was decided about them.

    Args:
      data_dir: the data set that was audited.
      audit_dir: of kfer-audit --run, with its corrected.csv.
      path: of the file of decisions; '' for DECISIONS in audit_dir.
      most: suspects shown.

    Raises:
      UserError: a file is missing or was changed, the audit is of other data, or it has
        no class label.
    """

    def __init__(self, data_dir: str, audit_dir: str, path: str = "", most: int = MOST):
        self.path = path or os.path.join(audit_dir, DECISIONS)
        dataset = dataset_lib.load(data_dir)
        summary = run_folder.read_json(os.path.join(audit_dir, files.JSON))
        self.digest = _check(audit_dir, summary, dataset)
        self.image_format = dataset.image_format
        self.classes = {
            name: column.classes
            for name, column in dataset.columns.items()
            if column.is_categorical and not column.annotators
        }
        rows = _suspects(os.path.join(audit_dir, files.CORRECTED), self.classes)
        if not rows:
            raise UserError(f"The audit in {audit_dir} has no class label to review")
        self.suspects = rows[:most]
        wanted = {row.image_id for row in self.suspects}
        self._records = {
            record.image_id: record
            for record in rewrite.records(dataset, summary["split"])
            if record.image_id in wanted
        }
        self._lock = threading.Lock()
        # Who was shown what last.
        self._looking: dict[str, int] = {}
        self._made = decisions_lib.read(self.path)

    def picture(self, number: int) -> bytes | None:
        """The encoded picture of a suspect, or None if there is no such number."""
        if not 0 <= number < len(self.suspects):
            return None
        return self._records[self.suspects[number].image_id].image

    def others(self, number: int) -> dict[str, str]:
        """Class column -> what it says of a suspect's picture, without its own."""
        row = self.suspects[number]
        labels = self._records[row.image_id].labels
        return {
            name: classes[labels[name]]
            for name, classes in self.classes.items()
            if name in labels and name != row.column
        }

    def standing(self) -> dict[int, Decision]:
        """Number of a suspect -> the decision that counts."""
        with self._lock:
            counts = decisions_lib.standing(self._made)
        keys = ((row.column, row.image_id) for row in self.suspects)
        return {n: counts[key] for n, key in enumerate(keys) if key in counts}

    def next(self, who: str = "") -> int | None:
        """The worst suspect that nobody decided about and nobody else looks at.

        Args:
          who: will look at it, so that two who review at once get different ones. What
            others were shown and left comes last; '' for anybody.

        Returns:
          Its number, or None if all are decided.
        """
        done = self.standing()
        left = [n for n in range(len(self.suspects)) if n not in done]
        with self._lock:
            taken = {n for one, n in self._looking.items() if one != who}
            found = next((n for n in left if n not in taken), left[0] if left else None)
            if who and found is not None:
                self._looking[who] = found
        return found

    def decide(self, number: int, action: str, label: str, who: str) -> None:
        """Notes a decision; it is on the disk when this returns.

        Args:
          number: of the suspect.
          action: of kfer.audit.decisions.
          label: the class for PICK; else ''.
          who: decides.

        Raises:
          UserError: no such suspect, class or action, nobody decides, or the disk
            refused.
        """
        if not 0 <= number < len(self.suspects):
            raise UserError(f"There is no suspect {number}")
        if not (who := who.strip()) or len(who) > 100:
            raise UserError("Say who decides, in at most 100 letters")
        row = self.suspects[number]
        label = {
            decisions_lib.KEEP: row.given,
            decisions_lib.TAKE: row.proposed,
            decisions_lib.PICK: label,
        }.get(action, "")
        known = self.classes[row.column]
        if action == decisions_lib.PICK and label not in known:
            raise UserError(f"{label!r} is none of {', '.join(known)}")
        made = Decision(
            row.image_id,
            row.column,
            row.given,
            action,
            label,
            who,
            decisions_lib.now(),
            self.digest,
        )
        with self._lock:
            decisions_lib.append(self.path, made)
            self._made.append(made)

    def undo(self, who: str) -> int | None:
        """Takes back the last decision of `who` that counts; the suspect's number."""
        number = self.last(who)
        if number is not None:
            self.decide(number, decisions_lib.UNDO, "", who)
        return number

    def last(self, who: str) -> int | None:
        """The suspect that `who` decided about last, of decisions that count."""
        mine = [(d.when, n) for n, d in self.standing().items() if d.who == who.strip()]
        return max(mine)[1] if mine else None


def _check(audit_dir: str, summary: dict, dataset: dataset_lib.Dataset) -> str:
    """The SHA-256 of the audit's corrected.csv, which must be that of this data."""
    path = os.path.join(audit_dir, files.CORRECTED)
    if not os.path.isfile(path):
        raise UserError(
            f"{audit_dir} has no {files.CORRECTED}; make it with kfer-audit --run=RUN "
            f"--out_dir={audit_dir}"
        )
    digest = shard_files.sha256(path)
    if summary.get("sha256", {}).get(files.CORRECTED) != digest:
        raise UserError(f"{path} is not the table of its {files.JSON}; audit again")
    audited = summary["provenance"]["data"]["content_hash"]
    if audited != dataset.content_hash:
        raise UserError(
            f"The audit in {audit_dir} is of other data ({audited[:12]}, "
            f"{dataset.root} is {dataset.content_hash[:12]})"
        )
    return digest


def _suspects(path: str, classes: dict[str, tuple[str, ...]]) -> list[Suspect]:
    with open(path, encoding="utf-8", newline="") as file:
        rows = [
            Suspect(
                row["image_id"],
                row["column"],
                row["given"],
                row["proposed"],
                float(row["suspicion"]),
                row["why"],
            )
            for row in csv.DictReader(file)
            if row["column"] in classes
        ]
    return sorted(rows, key=lambda row: -row.suspicion)

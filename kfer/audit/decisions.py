"""What people decided about suspicious labels: one file that only grows.

A line is a JSON object: image_id, column, given, action, label, who, when (UTC), and
of which audit (SHA-256 of its corrected.csv). Nothing is ever changed or removed in it:
who takes a decision back adds 'undo'. Several may write at once; of two decisions about
one label the later counts.
"""

import dataclasses
import datetime
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from kfer.data.record import Column
from kfer.errors import UserError
from kfer.storage import whole

KEEP, TAKE, PICK, SKIP, UNDO = "keep", "take", "pick", "skip", "undo"
ACTIONS = (KEEP, TAKE, PICK, SKIP, UNDO)
_CHANGING = (TAKE, PICK)


@dataclasses.dataclass(frozen=True)
class Decision:
    """One line.

    Attributes:
      image_id: of the picture.
      column: whose label it is.
      given: the class's name that was given.
      action: of ACTIONS.
      label: the class's name that it should be; '' for SKIP and UNDO.
      who: decided.
      when: ISO 8601, UTC.
      audit: SHA-256 of the corrected.csv that was shown.
    """

    image_id: str
    column: str
    given: str
    action: str
    label: str
    who: str
    when: str
    audit: str

    def __post_init__(self):
        if self.action not in ACTIONS:
            known = ", ".join(ACTIONS)
            raise UserError(f"Unknown decision {self.action!r}; known: {known}")
        if any(not isinstance(value, str) for value in dataclasses.astuple(self)):
            raise UserError("A decision is made of texts alone")

    @property
    def key(self) -> tuple[str, str]:
        """What it is about."""
        return self.column, self.image_id


def now() -> str:
    """The time as decisions note it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def append(path: str, decision: Decision) -> None:
    """Adds a line and brings it to the disk before it returns.

    A line that a dead writer left half is ended first, so it spoils itself alone.

    Raises:
      UserError: the disk refused.
    """
    line = json.dumps(dataclasses.asdict(decision), ensure_ascii=False) + "\n"
    # Outermost, as closing the file may be refused too.
    with whole.disk(path), whole.appending(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with open(path, "rb") as other:
            size = other.seek(0, os.SEEK_END)
            other.seek(max(0, size - 1))
            cut = size > 0 and other.read() != b"\n"
        file.write((b"\n" if cut else b"") + line.encode())
        file.flush()
        os.fsync(file.fileno())


def read(path: str) -> list[Decision]:
    """The decisions in the order of the file; none where it doesn't exist.

    Raises:
      UserError: a line that isn't the last of a dead writer is damaged.
    """
    if not os.path.exists(path):
        return []
    with whole.disk(path), open(path, "rb") as file:
        lines = file.read().split(b"\n")
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except ValueError:
            # Half a line: its writer died, and the reviewer was never told it's kept.
            continue
        try:
            found.append(Decision(**fields))
        except TypeError as error:
            raise UserError(f"{path}:{number} is no decision: {error}") from error
    return found


def standing(decisions: Iterable[Decision]) -> dict[tuple[str, str], Decision]:
    """(column, image id) -> the decision that counts: the last, unless taken back.

    An UNDO takes back what counts then, and what was before it counts again.
    """
    stacks: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        stack = stacks.setdefault(decision.key, [])
        if decision.action != UNDO:
            stack.append(decision)
        elif stack:
            stack.pop()
    return {key: stack[-1] for key, stack in stacks.items() if stack}


def corrections(
    decisions: Iterable[Decision],
    columns: Mapping[str, Column],
    given: Mapping[str, Mapping[str, int]],
) -> dict[str, dict[str, Any]]:
    """Column -> image id -> new class, for kfer.data.rewrite.with_corrections.

    Args:
      decisions: of one file.
      columns: the data set's.
      given: column -> image id -> the class that the data set has now.

    Raises:
      UserError: a decision is about a label that the data set doesn't have or that has
        changed since, or names a class that isn't there. All or nothing is applied.
    """
    found: dict[str, dict[str, Any]] = {}
    for (column, image_id), decision in standing(decisions).items():
        if decision.action not in _CHANGING:
            continue
        where = f"The decision of {decision.who} on {column} of {image_id}"
        if column not in given or image_id not in given[column]:
            raise UserError(f"{where} has no such label in this data set")
        classes = columns[column].classes
        if decision.label not in classes:
            raise UserError(f"{where} says {decision.label!r}, which is no class of it")
        there = classes[given[column][image_id]]
        if there != decision.given:
            raise UserError(
                f"{where} was about {decision.given!r}, but the label is {there!r} "
                "now; apply it to the data set that was audited"
            )
        found.setdefault(column, {})[image_id] = classes.index(decision.label)
    return found

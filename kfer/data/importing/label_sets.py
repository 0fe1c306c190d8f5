"""Columns of labels -> label sets: of what truth, whose, valence and arousal joined."""

import dataclasses

from kfer import tasks as tasks_lib
from kfer.data import names
from kfer.data import record as record_lib
from kfer.data.importing.headers import Labels
from kfer.data.importing.table import Table
from kfer.data.label_noise import ANNOTATOR
from kfer.data.record import Column
from kfer.errors import UserError

# Values of these share a column, as a point of the plane.
_PLANE = tasks_lib.VALENCE_AROUSAL
_POINT = "valence_arousal"


@dataclasses.dataclass(frozen=True)
class LabelSet:
    """What one annotator, or nobody in particular, says of one truth.

    Attributes:
      target: the truth, a safe name.
      annotator: '' for nobody in particular.
      headers: of the table; two for valence and arousal.
      is_truth: whether it is the truth itself.
    """

    target: str
    annotator: str
    headers: tuple[str, ...]
    is_truth: bool = False


def with_targets(labels: tuple[Labels, ...]) -> list[Labels]:
    """Labels whose header doesn't name a truth get that of the others, or 'label'.

    Raises:
      UserError: there are several others.
    """
    named = {p.what for p in labels if p.what and not p.is_values and not p.annotator}
    named = named or {p.what for p in labels if p.what and not p.is_values}
    if len(named) > 1 and (nameless := [p.header for p in labels if not p.what]):
        raise UserError(
            f"The column {nameless[0]!r} could be of {' or '.join(sorted(named))}; "
            f"name it such as {nameless[0]}:{min(named)}"
        )
    only = next(iter(named)) if len(named) == 1 else "label"
    return [dataclasses.replace(p, what=p.what or only) for p in labels]


def grouped(labels: list[Labels]) -> dict[str, list[Labels]]:
    """Truth or dimension -> its columns."""
    found: dict[str, list[Labels]] = {}
    for part in labels:
        found.setdefault(part.what, []).append(part)
    return found


def check_once(table: Table, labels: list[Labels]) -> None:
    """Raises UserError where two columns say the same of one truth or dimension."""
    first: dict[tuple[str, str, bool], str] = {}
    for part in labels:
        key = (part.what, part.annotator, part.is_truth)
        if (other := first.setdefault(key, part.header)) != part.header:
            whose = f" of {part.annotator}" if part.annotator else ""
            whose = " of the truth" if part.is_truth else whose
            raise UserError(
                f"{table.name} has two columns of {part.what}{whose}: {other!r} and "
                f"{part.header!r}; leave one out with --ignore"
            )


def joined(
    labels: list[Labels], targets: dict[str, Column]
) -> tuple[tuple[LabelSet, ...], dict[str, Column]]:
    """Label sets, valence and arousal of one person joined, and truth -> its column.

    Raises:
      UserError: two truths would have one name.
    """
    found: list[LabelSet] = []
    for part in labels:
        keys = (part.annotator, part.is_truth)
        if part.is_values and part.what in _PLANE:
            pair = {
                p.what: p.header
                for p in labels
                if p.is_values and (p.annotator, p.is_truth) == keys
            }
            if set(_PLANE) <= set(pair):
                headers = tuple(pair[name] for name in _PLANE)
                joined = LabelSet(_POINT, keys[0], headers, keys[1])
                if joined not in found:
                    found.append(joined)
                continue
        found.append(LabelSet(part.what, keys[0], (part.header,), keys[1]))
    if any(part.target == _POINT for part in found):
        targets = {**targets, _POINT: record_lib.valence_arousal()}
    used = {part.target for part in found}
    taken: dict[str, str] = {}
    for key in (key for key in targets if key in used):
        if (other := taken.setdefault(targets[key].name, key)) != key:
            raise UserError(
                f"The table has two columns of {targets[key].name}: {other!r} and "
                f"{key!r}; leave one out with --ignore"
            )
    safe = names.safe_names([targets[key].name for key in targets if key in used])
    named = {k: safe[c.name] for k, c in targets.items() if k in used}
    columns = {
        named[key]: dataclasses.replace(targets[key], name=named[key]) for key in named
    }
    return (
        tuple(dataclasses.replace(part, target=named[part.target]) for part in found),
        columns,
    )


def column_of(
    label_set: LabelSet, target: Column, annotator: str, several: bool
) -> Column:
    """The label column of a label set.

    Args:
      label_set: see LabelSet.
      target: of `Understanding.targets`.
      annotator: whose; '' for nobody in particular.
      several: whether annotators give labels of more than one truth.
    """
    if not annotator:
        return dataclasses.replace(target, name=label_set.target)
    behind = f"_{label_set.target}" if several or not target.is_categorical else ""
    name = f"{ANNOTATOR}{annotator}{behind}"
    return dataclasses.replace(target, name=name, target=label_set.target)

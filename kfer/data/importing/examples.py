"""An understood table -> one example a picture, and what was set aside."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kfer.data import crowd_labels, manifest_rows, reasons, tables
from kfer.data.importing import label_sets
from kfer.data.importing import roles as roles_lib
from kfer.data.importing.label_sets import LabelSet
from kfer.data.importing.options import TableOptions, is_missing
from kfer.data.importing.understand import Understanding
from kfer.data.manifest_rows import BadRow
from kfer.data.record import Column, RawExample, Rejected
from kfer.errors import UserError

AGAIN = "second rating of a picture by one annotator"
TWO_SPLITS = "picture in two splits"
TWO_TRUTHS = "two truths of one picture"
TWO_PICTURES = "two pictures of one id"
OTHER_PLACE = "a later rating's eyes or box"
NO_ANNOTATOR = "no annotator named"
NO_CLASS = "vote for no class"
Labels = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Plan:
    """How rows become examples.

    Attributes:
      columns: label columns by name.
      clean_columns: columns of the truth by name.
      named: (label set, annotator) -> label column; the truth's have annotator ''.
      numbers: annotator -> number, where more than crowd_labels.MANY are named in a
        long table: their labels are then one crowd column.
    """

    columns: dict[str, Column]
    clean_columns: dict[str, Column]
    named: Mapping[tuple[LabelSet, str], str]
    numbers: Mapping[str, int] = dataclasses.field(default_factory=dict)


def plan(found: Understanding) -> Plan:
    """The columns of a table's labels.

    Raises:
      UserError: two label sets would have one column.
    """
    several = len({s.target for s in found.sets if not s.is_truth}) > 1
    columns, clean, named = {}, {}, {}
    crowd = _crowd(found)
    for label_set in found.sets:
        target = found.targets[label_set.target]
        if label_set.is_truth:
            clean[target.name] = target
            named[label_set, ""] = target.name
            continue
        if crowd and not label_set.annotator:
            columns[target.name] = dataclasses.replace(
                target, target=target.name, annotators=crowd
            )
            named |= {(label_set, person): target.name for person in crowd}
            continue
        for person in _people(found, label_set):
            column = label_sets.column_of(label_set, target, person, several)
            if column.name in columns:
                raise UserError(
                    f"{found.table.name} has two columns of {column.name}, the second "
                    f"is {label_set.headers[0]!r}; leave one out with --ignore"
                )
            columns[column.name] = column
            named[label_set, person] = column.name
    if found.votes:
        columns |= found.votes.columns()
    if not clean:
        clean = {n: c for n, c in columns.items() if not c.target}
    return Plan(columns, clean, named, {name: n for n, name in enumerate(crowd)})


def _crowd(found: Understanding) -> tuple[str, ...]:
    """The names of many annotators of a long table, in order; () of few."""
    if not found.is_long or "annotator" not in found.roles.of:
        return ()
    names = tuple(sorted(found.annotators))
    return names if len(names) > crowd_labels.MANY else ()


def _people(found: Understanding, label_set: LabelSet) -> list[str]:
    if not found.is_long or label_set.annotator:
        return [label_set.annotator]
    return [*found.annotators]


def read(
    found: Understanding, options: TableOptions, made: Plan
) -> Iterator[RawExample | Rejected]:
    """Every picture of a table, in the order of its first row.

    Args:
      found: see understand.
      options: for the split.
      made: see plan.

    Returns:
      Examples; a Rejected for each row of a wide table, or rating of a long one, that
      is set aside.
    """
    pictures: dict[str, list[int]] = {}
    for row, name in enumerate(found.ids):
        # Of a wide table, rows of one id are not joined; all but the first are faults.
        key = name if found.is_long else str(row)
        pictures.setdefault(key, []).append(row)
    for rows in pictures.values():
        yield from _picture(found, options, made, rows)


def _picture(
    found: Understanding, options: TableOptions, made: Plan, rows: list[int]
) -> Iterator[RawExample | Rejected]:
    """One example of all good rows of a picture."""
    image_id = found.ids[rows[0]]
    example, labels, clean, dropped = None, {}, {}, []
    for row in rows:
        try:
            base = _base(found, options, row, image_id)
            person = found.people[row] if found.is_long else ""
            _check_same(base, example, dropped)
            more = _labels(found, made, row, person, image_id, dropped)
            if (joined := _joined(labels, more[0])) is None:
                raise BadRow(AGAIN, f"{person} rated {image_id} before")
            if odd := [n for n, v in more[1].items() if clean.get(n, v) != v]:
                raise BadRow(TWO_TRUTHS, f"{odd[0]} was another in a row before")
            example = example or base
            labels = joined
            clean |= more[1]
        except BadRow as error:
            source = found.table.source(row)
            yield Rejected(image_id, error.reason, error.detail, source)
    if example:
        if not any(part.is_truth for part in found.sets):
            clean = {n: v for n, v in labels.items() if n in made.clean_columns}
        yield example._replace(labels=labels, clean=clean, dropped=tuple(dropped))


def _check_same(base: RawExample, first: RawExample | None, dropped: list[str]) -> None:
    """Raises BadRow where a row's picture isn't that of the first row of its id."""
    if first is None:
        return
    if base.image != first.image:
        detail = f"{first.image} before, {base.image} here"
        raise BadRow(TWO_PICTURES, detail)
    if base.split != first.split:
        raise BadRow(TWO_SPLITS, f"{base.split} and {first.split}")
    if (base.eyes, base.box) != (first.eyes, first.box):
        dropped.append(OTHER_PLACE)


def _joined(labels: Labels, more: Labels) -> Labels | None:
    """Both together; None where one annotator has labelled the picture before."""
    found = dict(labels)
    for name, value in more.items():
        if not crowd_labels.is_crowd(value):
            if name in found:
                return None
            found[name] = value
            continue
        before = found.get(name, ())
        if any(who == value[0][0] for who, _ in before):
            return None
        found[name] = (*before, *value)
    return found


def _cell(found: Understanding, role: str, row: int) -> str:
    header = found.roles.of.get(role)
    return found.table.cells[header].iat[row].strip() if header else ""


def _base(
    found: Understanding, options: TableOptions, row: int, image_id: str
) -> RawExample:
    """The example of a row without its labels.

    Raises:
      BadRow: the row as a whole is faulty, or names no picture.
    """
    if problem := found.table.problems.get(row):
        raise BadRow(reasons.BAD_ANNOTATION, problem)
    if not (image := _cell(found, "image", row)):
        raise BadRow(manifest_rows.NO_IMAGE, "the image cell is empty")
    geometry = {
        name: text for name in roles_lib.GEOMETRY if (text := _cell(found, name, row))
    }
    return RawExample(
        image_id,
        _split(found, options, row, image),
        image,
        {},
        {},
        found.table.source(row),
        manifest_rows.eyes_of(geometry),
        manifest_rows.box_of(geometry),
    )


def _split(found: Understanding, options: TableOptions, row: int, image: str) -> str:
    if "split" in found.roles.of:
        word = _cell(found, "split", row)
        return manifest_rows.split_of(
            {} if is_missing(word, options) else {"split": word}
        )
    test, valid = options.splits
    subject = _cell(found, "subject", row)
    known = image if is_missing(subject, options) else subject
    place = tables.place(known, "split")
    return "test" if place < test else "valid" if place < test + valid else "train"


def _labels(
    found: Understanding,
    made: Plan,
    row: int,
    person: str,
    image_id: str,
    dropped: list[str],
) -> tuple[Labels, Labels]:
    """Labels and truth of a row; what is left out is noted in `dropped`.

    Raises:
      BadRow: a cell that means nothing.
    """
    labels: Labels = {}
    clean: Labels = {}
    for label_set in found.sets:
        value = _value(found, label_set, row, dropped)
        whose = label_set.annotator or person
        if value is not None and label_set.is_truth:
            clean[made.named[label_set, ""]] = value
        elif value is not None:
            if found.is_long and not whose:
                raise BadRow(NO_ANNOTATOR, _nobody(found, row))
            name = made.named[label_set, whose]
            if made.columns[name].annotators:
                value = ((made.numbers[whose], value),)
            labels[name] = value
    if found.votes:
        if problem := found.votes.faults.get(row):
            raise BadRow(reasons.BAD_VOTES, problem)
        labels |= found.votes.labels(row, image_id)
        if found.votes.dropped[row] > 0:
            dropped.append(NO_CLASS)
    return labels, clean


def _nobody(found: Understanding, row: int) -> str:
    word = _cell(found, "annotator", row)
    if not word:
        return "the annotator cell is empty"
    return f"the annotator {word!r} reads as missing; --missing says other words"


def _value(
    found: Understanding, label_set: LabelSet, row: int, dropped: list[str]
) -> Any:
    """A class, a tuple of values, or None where it is missing."""
    cells = []
    for header in label_set.headers:
        coded = found.coded[header]
        if row in coded.faults:
            reason, detail = coded.faults[row]
            # An annotator's 'none' is no label; as the expression it says what is seen.
            if reasons.is_exclusion(reason) and (label_set.annotator or found.is_long):
                dropped.append(reason)
                return None
            raise BadRow(reason, detail)
        cells.append(coded.codes[row])
    if found.targets[label_set.target].is_categorical:
        return int(cells[0]) if cells[0] >= 0 else None
    known = np.isfinite(cells)
    if known.all():
        return tuple(map(float, cells))
    if known.any():
        dropped.append(reasons.HALF_A_POINT)
    return None

"""A table as label sets: what was understood of it."""

import dataclasses
import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from kfer.data.importing import coding, label_sets, pictures, vote_labels
from kfer.data.importing import roles as roles_lib
from kfer.data.importing import votes as votes_lib
from kfer.data.importing.coding import Coded
from kfer.data.importing.headers import Labels
from kfer.data.importing.label_sets import LabelSet
from kfer.data.importing.options import TableOptions, asked, is_missing, plain_number
from kfer.data.importing.roles import Roles
from kfer.data.importing.table import Table
from kfer.data.record import Column
from kfer.errors import UserError


@dataclasses.dataclass(frozen=True)
class Understanding:
    """What a table means.

    Attributes:
      table: as read, its text tidied.
      roles: of its columns.
      ids: of the picture of each row.
      people: the annotator of each row of a long table, '' where none is named; ()
        of a wide one.
      sets: its label sets; in a long table each stands for those of all annotators.
      targets: truth -> a Column that tells its classes, or dimensions and range.
      coded: header -> its labels.
      votes: counts of votes, where classes have a column each.
      notes: sentences on classes, scales and missing words.
      is_long: one row is one rating of a picture.
    """

    table: Table
    roles: Roles
    ids: tuple[str, ...]
    people: tuple[str, ...]
    sets: tuple[LabelSet, ...]
    targets: Mapping[str, Column]
    coded: Mapping[str, Coded]
    votes: votes_lib.Votes | None
    notes: tuple[str, ...]
    is_long: bool

    def given(self, header: str) -> np.ndarray:
        """bool [rows], where a column of labels says something that counts."""
        codes = self.coded[header].codes
        # A class is missing as -1, a value as NaN.
        known = codes >= 0 if codes.dtype.kind == "i" else np.isfinite(codes)
        known[[*self.table.problems, *self.coded[header].faults]] = False
        return known

    @functools.cached_property
    def annotators(self) -> tuple[str, ...]:
        """Who gives a label that counts, in the order of a long table; () of a wide.

        All of them where nobody does.
        """
        if not self.is_long:
            return ()
        headers = [header for part in self.sets for header in part.headers]
        rows = np.logical_or.reduce([self.given(header) for header in headers])
        names = [name for name in dict.fromkeys(self.people) if name]
        heard = {self.people[row] for row in np.flatnonzero(rows)}
        return tuple([name for name in names if name in heard] or names)

    @property
    def has_faces(self) -> bool:
        """Whether it says where faces are."""
        return bool(set(self.roles.of) & {"box", "landmarks", "left_eye_x"})


def understand(
    table: Table,
    options: TableOptions,
    exists: Callable[[str], bool],
    root: str = "",
) -> Understanding:
    """Looks at a table.

    Args:
      table: as read.
      options: what the user says.
      exists: whether a cell names a picture.
      root: folder that picture names start from.

    Raises:
      UserError: it could mean two things; the flag that decides is named.
    """
    roles = roles_lib.assign(table, options, exists)
    table = pictures.tidied(table, roles.of["image"], root, options)
    labels = label_sets.with_targets(roles.labels)
    named = _named(table, roles, options)
    ids = pictures.ids(table, roles, named)
    of_people = any(part.annotator for part in labels)
    is_long = pictures.is_long(table, roles, of_people, ids, options)
    targets, coded, notes = _coded(table, labels, options)
    label_sets.check_once(table, labels)
    counted = votes_lib.of_table(table, roles.votes, options, roles.votes_of)
    if counted and is_long:
        label, codes = votes_lib.one_each(table, counted, roles.votes)
        _check_new(table, label, targets)
        labels.append(label)
        targets[label.what], coded[label.header] = counted.target, codes
    sets, targets = label_sets.joined(labels, targets)
    if counted and not is_long:
        counted, coded = _matched(table, counted, sets, targets, coded, options)
        targets[counted.target.name] = counted.target
    notes += [counted.describe()] if counted else []
    people = (named or _numbered(ids)) if is_long else ()
    notes += _unmet(table, labels, options)
    notes += _notes(table, roles, targets, sets, people)
    votes = None if is_long else counted
    found = tuple(ids), tuple(people), sets, targets, coded, votes, tuple(notes)
    return Understanding(table, roles, *found, is_long)


def _check_new(table: Table, label: Labels, targets: Mapping[str, Column]) -> None:
    if label.what in targets:
        raise UserError(
            f"{table.name} has a column of {label.what} and a column for each of its "
            "classes; leave one out with --ignore"
        )


def _matched(
    table: Table,
    counted: votes_lib.Votes,
    sets: Sequence[LabelSet],
    targets: Mapping[str, Column],
    coded: dict[str, Coded],
    options: TableOptions,
) -> tuple[votes_lib.Votes, dict[str, Coded]]:
    """Votes, and labels of the same truth, with one list of classes."""
    name = counted.target.name
    if name not in targets:
        return counted, coded
    headers = [h for part in sets if part.target == name for h in part.headers]
    is_listed = "" in options.classes or bool(asked(options.classes, name, *headers))
    beside = {header: coded[header] for header in headers}
    counted, beside = vote_labels.matched(
        table, counted, targets[name], beside, is_listed
    )
    return counted, coded | beside


def _coded(
    table: Table, labels: list[Labels], options: TableOptions
) -> tuple[dict[str, Column], dict[str, Coded], list[str]]:
    """Truth -> its column, header -> its labels, and sentences on what was found."""
    targets: dict[str, Column] = {}
    coded: dict[str, Coded] = {}
    notes: list[str] = []
    refused: list[coding.BeyondScale] = []
    unsure: list[str] = []
    for target, group in label_sets.grouped(labels).items():
        try:
            column, found, said = coding.of_group(table, target, group, options)
        except coding.BeyondScale as error:
            refused.append(error)
            continue
        except coding.TwoScales as error:
            unsure.append(str(error))
            continue
        targets[target] = column
        coded |= found
        notes += said
    if refused:
        raise coding.all_beyond(table, refused)
    if unsure:
        raise UserError(f"{table.name}: {'; '.join(unsure)}")
    return targets, coded, notes


def _named(table: Table, roles: Roles, options: TableOptions) -> list[str]:
    """The annotator that a column names for each row; [] without such a column.

    '7.0' is '7': a program that saw an empty cell wrote all numbers so.
    """
    if "annotator" not in roles.of:
        return []
    cells = map(plain_number, table.cells[roles.of["annotator"]])
    return ["" if is_missing(text, options) else text for text in cells]


def _numbered(ids: list[str]) -> list[str]:
    """Nameless annotators, numbered within their picture."""
    seen: Counter[str] = Counter()
    found = []
    for name in ids:
        seen[name] += 1
        found.append(str(seen[name]))
    return found


def _unmet(table: Table, labels: list[Labels], options: TableOptions) -> list[str]:
    """Synonyms that no cell of a label has."""
    headers = [p.header for p in labels if p.header in table.cells]
    words = {t.strip().casefold() for h in headers for t in table.cells[h].unique()}
    unmet = [name for name in options.synonyms if name.strip().casefold() not in words]
    return [f"no label is {', '.join(map(repr, unmet))} (--synonyms)"] if unmet else []


def _notes(
    table: Table,
    roles: Roles,
    targets: Mapping[str, Column],
    sets: tuple[LabelSet, ...],
    people: Sequence[str],
) -> list[str]:
    """What may not be meant."""
    notes = []
    spelled: dict[str, str] = {}
    for name in filter(None, dict.fromkeys(people)):
        if (other := spelled.setdefault(name.casefold(), name)) != name:
            notes.append(f"two annotators: {other!r} and {name!r}")
    alone = {s.target: s.headers[0] for s in sets if not (s.annotator or s.is_truth)}
    alike: dict[tuple[str, ...], list[str]] = {}
    for target, header in alone.items():
        if targets[target].is_categorical and not people:
            alike.setdefault(targets[target].classes, []).append(header)
    for headers in alike.values():
        if len(headers) > 1:
            notes.append(
                f"{' and '.join(headers)} count as different truths; if they are what "
                f"people say of one, --annotators={','.join(headers)}"
            )
    lone = bool(alone) and not any(part.is_truth for part in sets)
    return notes + _several_ids(table, roles, lone) * (not people)


def _several_ids(table: Table, roles: Roles, is_truth: bool) -> list[str]:
    """That ids seem to number ratings, not pictures."""
    counts = table.cells[roles.of["image"]].value_counts()
    several = counts[(counts > 1) & (counts.index != "")]
    if "id" not in roles.of or not len(several):
        return []
    header = roles.of["id"]
    counted = ", and its labels count as its truth" if is_truth else ""
    return [
        f"{len(several)} pictures, such as {several.index[0]!r}, stand under several "
        f"ids of column {header!r}: each id is an example of its own{counted}. If the "
        f"rows are ratings of one picture, --ignore={header}"
    ]

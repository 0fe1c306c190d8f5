"""What each column of a table is, by its header, its cells and what the user says."""

import dataclasses
from collections.abc import Callable, Mapping

import pandas as pd

from kfer import tasks as tasks_lib
from kfer.data import label_orders
from kfer.data.importing import headers as headers_lib
from kfer.data.importing import vote_columns
from kfer.data.importing.headers import Labels
from kfer.data.importing.options import TableOptions, asked, is_missing, plain
from kfer.data.importing.table import Table
from kfer.errors import UserError

_ROLE_NAMES = {
    "image": (
        "image file filename file_name image_path path filepath file_path img picture "
        "photo image_name image_file"
    ),
    "id": "id image_id",
    "split": "split subset partition usage",
    "subject": "subject subject_id person person_id identity",
    "annotator": (
        "annotator annotator_id annotator_name worker worker_id workerid rater "
        "rater_id coder coder_id labeler labeller judge judge_id"
    ),
}
GEOMETRY = (
    "left_eye_x",
    "left_eye_y",
    "right_eye_x",
    "right_eye_y",
    "landmarks",
    "box",
)
# So many of a column's first cells are looked at to tell files from other words.
_LOOK = 200


@dataclasses.dataclass(frozen=True)
class Roles:
    """What a table's columns are.

    Attributes:
      of: role (options.ROLES and GEOMETRY) -> header.
      labels: columns of labels, in order.
      votes: class name -> header of its votes.
      ignored: header -> why.
      votes_of: the truth that is voted on, where a header names it.
    """

    of: Mapping[str, str]
    labels: tuple[Labels, ...]
    votes: Mapping[str, str]
    ignored: Mapping[str, str]
    votes_of: str = ""


def names_labels(header: str) -> bool:
    """Whether a header says no more than what kind of labels a column has."""
    name = plain(header)
    roles = [word for words in _ROLE_NAMES.values() for word in words.split()]
    taken = (*roles, *GEOMETRY, *headers_lib.TRUTHS, *tasks_lib.EXPRESSIONS)
    odd = name in taken or name.startswith(("clean:", "clean_"))
    return not (
        odd or headers_lib.WIDE.match(header) or headers_lib.BEHIND.match(header)
    )


def assign(table: Table, options: TableOptions, exists: Callable[[str], bool]) -> Roles:
    """Finds out what the columns are.

    Args:
      table: as read.
      options: what the user says.
      exists: whether a cell names a picture.

    Raises:
      UserError: a column that is named doesn't exist, or what a column is can't be
        told; the flag to set is named.
    """
    _check_named(table, options)
    if names := [h for h in table.cells.columns if h and exists(h)]:
        raise UserError(
            f"{table.name} has no header: its first line has the picture {names[0]!r}; "
            "put a line before it that names the columns, such as image,label"
        )
    of = _roles(table, options, exists)
    left = [
        name
        for name in table.cells.columns
        if name not in of.values() and name not in options.ignore
    ]
    votes_of, votes = vote_columns.of(table, options, left)
    left = [name for name in left if name not in votes.values()]
    found = _found(table, of, left, bool(votes), options)
    labels = [part for part in found.values() if isinstance(part, Labels)]
    ignored = {n: "as asked" for n in options.ignore}
    ignored |= {h: why for h, why in found.items() if isinstance(why, str)}
    vote_columns.check(table, votes, labels, options)
    aside = [h for h in left if h in ignored and headers_lib.is_aside(h, options)]
    if aside and not votes and all(part.is_truth for part in labels):
        _only_aside(table, of, aside)
    if not labels and not votes:
        _no_labels(table, left, of)
    voted = {header.rpartition(":")[0] or "label" for header in votes.values()}
    if votes and {*votes} <= {*label_orders.NAMES}:
        voted.add("expression")
    _check_used(table, labels, options, voted)
    return Roles(of, tuple(labels), votes, ignored, votes_of)


def _found(
    table: Table,
    of: Mapping[str, str],
    left: list[str],
    voted: bool,
    options: TableOptions,
) -> dict[str, Labels | str]:
    """Header -> labels, or why there are none.

    Beside a column of annotators, columns of one person each are no labels; but they
    are where rows aren't ratings and it only says who typed them in, or nothing.
    """
    people = of.get("annotator", "")
    found = {h: headers_lib.labels_of(table, h, options, people) for h in left}
    plain_ones = [
        p
        for p in found.values()
        if isinstance(p, Labels) and not (p.annotator or p.is_truth)
    ]
    if not people or _are_ratings(table, of, bool(plain_ones) or voted, options):
        return found
    return {h: headers_lib.labels_of(table, h, options) for h in left}


def _are_ratings(
    table: Table, of: Mapping[str, str], has_labels: bool, options: TableOptions
) -> bool:
    """Whether rows are ratings of several people, or several of one picture."""
    images, people = (
        [
            text.strip()
            for text in table.cells[of[role]]
            if not is_missing(text, options)
        ]
        for role in ("image", "annotator")
    )
    return len({*images}) < len(images) or (has_labels and len({*people}) > 1)


def _check_named(table: Table, options: TableOptions) -> None:
    wanted = {f"--column={r}": [h] for r, h in options.columns.items()}
    wanted |= {"--labels": options.labels, "--votes": options.votes}
    wanted |= {"--annotators": options.annotators, "--ignore": options.ignore}
    for flag, headers in wanted.items():
        for header in headers:
            parts = flag == "--labels" and _is_object(table, header)
            if header not in table.cells.columns and not parts:
                raise UserError(
                    f"{table.name} has no column {header!r} ({flag}); it has "
                    f"{', '.join(table.cells.columns)}"
                )


def _is_object(table: Table, header: str) -> bool:
    """Whether columns are parts of it, as of an object in JSON."""
    return any(name.startswith(f"{header}:") for name in table.cells.columns)


def _roles(
    table: Table, options: TableOptions, exists: Callable[[str], bool]
) -> dict[str, str]:
    of = dict(options.columns)
    for header in table.cells.columns:
        if header in of.values() or header in options.ignore:
            continue
        name = plain(header)
        if name in GEOMETRY:
            of[name] = header
        for role, known in _ROLE_NAMES.items():
            if name not in known.split() or role == "image":
                continue
            if role in of and role not in options.columns:
                raise UserError(
                    f"{table.name} has {of[role]!r} and {header!r}, which both could "
                    f"be the {role}; name one as --column={role}=..."
                )
            of.setdefault(role, header)
    if "image" not in of:
        of["image"] = _image(table, of, exists)
    return of


def _image(table: Table, of: Mapping[str, str], exists: Callable[[str], bool]) -> str:
    """The column that names pictures: the one whose cells are files, else by header."""
    named = _ROLE_NAMES["image"].split()
    columns = [h for h in table.cells.columns if h not in of.values()] or []
    if of.get("id") and not any(plain(h) in named for h in columns):
        columns.append(of["id"])
    files = [h for h in columns if _share_of_files(table.cells[h], exists) >= 0.5]
    by_name = [h for h in files or columns if plain(h) in named]
    found = by_name if len(files) != 1 else files
    if len(found) == 1:
        return found[0]
    candidates = found or files
    raise UserError(
        f"{table.name}: "
        + (
            f"the columns {candidates} could each name the pictures"
            if candidates
            else f"none of the columns {list(table.cells.columns)} names pictures"
        )
        + "; name one as --column=image=..."
    )


def _share_of_files(cells: pd.Series, exists: Callable[[str], bool]) -> float:
    given = [text for text in cells.head(_LOOK) if text]
    return sum(map(exists, given)) / len(given) if given else 0.0


def _only_aside(table: Table, of: Mapping[str, str], aside: list[str]) -> None:
    people, them = of["annotator"], ",".join(aside)
    raise UserError(
        f"{table.name}: {people!r} names each row's annotator, {them} beside it is no "
        f"label, and no other is left; say --labels={them} if this is what they say, "
        f"--annotators={them} if it is what one person each says, or --ignore={people} "
        "if it names no annotators"
    )


def _no_labels(table: Table, left: list[str], of: dict[str, str]) -> None:
    if not left:
        used = ", ".join(f"{header!r} is the {role}" for role, header in of.items())
        raise UserError(
            f"{table.name}: no column is left to be a label ({used}); add one, or take "
            "one from --ignore"
        )
    raise UserError(
        f"{table.name} has no column of labels that is known by its name; of {left} "
        "name those with --labels=... (classes), --scale=NAME=LOW:HIGH (values), "
        "--annotators=... (a person's labels each) or --votes=... (the votes for a "
        "class each)"
    )


def _check_used(
    table: Table, labels: list[Labels], options: TableOptions, voted: set[str]
) -> None:
    """Raises UserError where a flag names labels that there are none of."""
    known = sorted(voted | {q for p in labels for q in (p.header, p.what or "label")})
    for flag, given in (("classes", options.classes), ("scale", options.scales)):
        for name in given:
            if name and not asked({name: True}, *known):
                raise UserError(
                    f"{table.name} has no labels {name!r} (--{flag}); it has "
                    f"{', '.join(known)}"
                )

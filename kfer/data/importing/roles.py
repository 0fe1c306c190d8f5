"""What each column of a table is, by its header, its cells and what the user says."""

import dataclasses
import re
from collections.abc import Callable, Mapping

import pandas as pd

from kfer import tasks as tasks_lib
from kfer.data import label_orders
from kfer.data.importing import values
from kfer.data.importing.options import TableOptions, is_missing
from kfer.data.importing.reading import Table
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
DIMENSIONS = (*tasks_lib.VALENCE_AROUSAL, "dominance")
# Headers of classes; any other text column counts as one where --labels says so.
_CLASSES = ("expression", "emotion", "label", "class", "category", "gender", "pose")
_TRUTHS = ("truth", "gold", "ground_truth", "true_label", "gold_label")
_PEOPLE = r"annotator|rater|coder|worker|labell?er|judge"
_WIDE = re.compile(rf"^(?:{_PEOPLE})[ _:\-.]*(?P<rest>.+)$", re.IGNORECASE)
_BEHIND = re.compile(
    rf"^(?P<what>.+?)[ _:\-.]+(?:{_PEOPLE})[ _:\-.]*(?P<rest>.+)$", re.IGNORECASE
)
# So many of a column's first cells are looked at to tell files from other words.
_LOOK = 200


@dataclasses.dataclass(frozen=True)
class Labels:
    """A column of labels.

    Attributes:
      header: in the table.
      what: the truth it is an account of, or the dimension of its values; '' if the
        header doesn't say.
      annotator: whose account; '' if the header doesn't say.
      is_values: whether cells are numbers of a scale.
      is_truth: whether it is the truth itself.
      order: of its numbers, a key of label_orders.ORDERS, or ''.
    """

    header: str
    what: str
    annotator: str = ""
    is_values: bool = False
    is_truth: bool = False
    order: str = ""


@dataclasses.dataclass(frozen=True)
class Roles:
    """What a table's columns are.

    Attributes:
      of: role (options.ROLES and GEOMETRY) -> header.
      labels: columns of labels, in order.
      votes: class name -> header of its votes.
      ignored: header -> why.
    """

    of: Mapping[str, str]
    labels: tuple[Labels, ...]
    votes: Mapping[str, str]
    ignored: Mapping[str, str]


def plain(header: str) -> str:
    """'Image Path' as 'image_path'."""
    return re.sub(r"[\s\-.]+", "_", header.strip()).casefold()


def names_labels(header: str) -> bool:
    """Whether a header says no more than what kind of labels a column has."""
    name = plain(header)
    roles = [word for words in _ROLE_NAMES.values() for word in words.split()]
    taken = (*roles, *GEOMETRY, *_TRUTHS, *tasks_lib.EXPRESSIONS)
    odd = name in taken or name.startswith(("clean:", "clean_"))
    return not (odd or _WIDE.match(header) or _BEHIND.match(header))


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
    of = _roles(table, options, exists)
    left = [
        name
        for name in table.cells.columns
        if name not in of.values() and name not in options.ignore
    ]
    votes = _votes(table, options, left)
    left = [name for name in left if name not in votes.values()]
    labels, ignored = [], {n: "as asked" for n in options.ignore}
    for header in left:
        found = _labels(table, header, options)
        if isinstance(found, str):
            ignored[header] = found
        else:
            labels.append(found)
    if not labels and not votes:
        _no_labels(table, left)
    return Roles(of, tuple(labels), votes, ignored)


def _check_named(table: Table, options: TableOptions) -> None:
    wanted = {f"--column={r}": [h] for r, h in options.columns.items()}
    wanted |= {"--labels": options.labels, "--votes": options.votes}
    wanted["--ignore"] = options.ignore
    for flag, headers in wanted.items():
        for header in headers:
            if header not in table.cells.columns:
                raise UserError(
                    f"{table.name} has no column {header!r} ({flag}); it has "
                    f"{', '.join(table.cells.columns)}"
                )


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


def _votes(table: Table, options: TableOptions, headers: list[str]) -> dict[str, str]:
    """Class -> header, where columns are named by classes and hold numbers."""
    if options.votes:
        names = [re.sub(r"^votes?[ _:]", "", plain(h)) for h in options.votes]
        return dict(zip(names, options.votes, strict=True))
    known = (*tasks_lib.EXPRESSIONS, *label_orders.NOT_EXPRESSIONS)
    named = {}
    for header in headers:
        name = label_orders.canonical(re.sub(r"^votes?[ _:]", "", plain(header)))
        if name in known and is_numeric(table.cells[header], options):
            named[name] = header
    return named if len(named) >= 3 else {}


def is_numeric(cells: pd.Series, options: TableOptions) -> bool:
    """Whether all cells that hold something are numbers, and one does."""
    given = [t for t in cells.unique() if not is_missing(t, options)]
    words = [t for t in given if values.number(t, options.decimal) is None]
    return bool(given) and not words


def _labels(table: Table, header: str, options: TableOptions) -> Labels | str:
    """A label column, or why it is none."""
    name, rest, annotator = plain(header), plain(header), ""
    truth = name.startswith(("clean:", "clean_")) or name in _TRUTHS
    if truth:
        rest = "" if name in _TRUTHS else name[len("clean:") :]
    elif match := _WIDE.match(header.strip()):
        annotator, rest = _person(match["rest"])
    elif match := _BEHIND.match(header.strip()):
        annotator, rest = match["rest"], plain(match["what"])
    order = _order_of(rest)
    what, _, behind = rest.partition(":")
    if behind and not order and what == "expression":
        label_orders.order(behind)
    numeric = is_numeric(table.cells[header], options)
    scaled = {header, what} & {*options.scales, *DIMENSIONS}
    if scaled:
        return Labels(header, what, annotator, True, truth)
    listed = {header, what} & {*options.classes, *options.labels}
    if listed or annotator or truth or what in _CLASSES:
        ordered = listed or "" in options.classes or options.order
        ordered = ordered or any(_order_of(plain(h)) for h in table.cells.columns)
        if numeric and not ordered and what != "expression":
            raise UserError(_two_meanings(table, header, what, options))
        return Labels(header, what, annotator, False, truth, order)
    if numeric:
        return f"numbers without a name that is known; --scale={header}=LOW:HIGH"
    return f"words; --labels={header} makes it a column of classes"


def _order_of(name: str) -> str:
    """'raf' of 'expression:raf'; '' of names without an order."""
    order = name.partition(":")[2]
    return order if order in label_orders.ORDERS else ""


def _two_meanings(table: Table, header: str, what: str, options: TableOptions) -> str:
    cells = table.cells[header]
    given = cells[[not is_missing(text, options) for text in cells]]
    first = ", ".join(f"line {table.lines[i]}: {t}" for i, t in given.head(3).items())
    key = what or header
    return (
        f"{table.name}: the numbers of {header!r} ({first}) could be classes or values;"
        f" say --classes={key}=NAME,NAME,... in the order of the numbers, or "
        f"--scale={key}=LOW:HIGH"
    )


def _person(rest: str) -> tuple[str, str]:
    """'ann:valence' or 'ann_valence' as annotator and what he or she gives."""
    person, _, what = rest.rpartition(":")
    if person:
        return person, plain(what)
    person, _, what = rest.rpartition("_")
    if person and plain(what) in (*DIMENSIONS, *_CLASSES):
        return person, plain(what)
    return rest, ""


def _no_labels(table: Table, left: list[str]) -> None:
    raise UserError(
        f"{table.name} has no column of labels that is known by its name; of {left} "
        "name those with --labels=... (classes) or --scale=NAME=LOW:HIGH (values)"
    )

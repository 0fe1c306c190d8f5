"""What the header of a label column says: of what truth, whose, in what order."""

import dataclasses
import re

import pandas as pd

from kfer import tasks as tasks_lib
from kfer.data import label_orders
from kfer.data.importing import values
from kfer.data.importing.options import TableOptions, asked, is_missing, plain
from kfer.data.importing.table import Table
from kfer.errors import UserError

DIMENSIONS = (*tasks_lib.VALENCE_AROUSAL, "dominance")
# Headers of classes; any other text column counts as one where --labels says so.
CLASSES = ("expression", "emotion", "label", "class", "category", "gender", "pose")
TRUTHS = ("truth", "gold", "ground_truth", "true_label", "gold_label")
# 'rater 2', 'rater:ann', 'rater2', 'raterB', 'raterAnn'; not 'judgement' or 'raters'.
_PERSON = (
    r"(?i:annotator|rater|coder|worker|labell?er|judge)"
    r"(?:[ _:\-.]+|(?=\d)|(?<=[a-z])(?=[A-Z])|(?=[A-RT-Za-rt-z](?:[ _:\-.]|$)))"
    r"(?P<rest>[^ _:\-.].*)"
)
WIDE = re.compile(rf"^{_PERSON}$")
BEHIND = re.compile(rf"^(?P<what>.+?)[ _:\-.]+{_PERSON}$")


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


def is_numeric(cells: pd.Series, options: TableOptions) -> bool:
    """Whether all cells that hold something are numbers, and one does."""
    given = [t for t in cells.unique() if not is_missing(t, options)]
    words = [t for t in given if values.number(t, options.decimal) is None]
    return bool(given) and not words


def labels_of(
    table: Table, header: str, options: TableOptions, people: str = ""
) -> Labels | str:
    """A label column, or why it is none.

    Args:
      table: as read.
      header: of the column.
      options: what the user says.
      people: header of the column that names each row's annotator; '' without one.

    Raises:
      UserError: numbers that could be classes or values, or an unknown order.
    """
    name = plain(header)
    truth = name.startswith(("clean:", "clean_")) or name in TRUTHS
    aside = people and not truth and is_aside(header, options)
    if aside and not _is_named(header, options):
        return (
            f"{people!r} names each row's annotator; --labels={header} makes it a "
            "column of classes"
        )
    annotator, rest = ("", name) if truth or aside else _whose(header, options)
    if truth:
        rest = "" if name in TRUTHS else name[len("clean:") :]
    order = _order_of(rest)
    what, _, behind = rest.partition(":")
    if behind and not order and what == "expression":
        label_orders.order(behind)
    names = (header, what or "label")
    if asked(options.scales, *names) or what in DIMENSIONS:
        return Labels(header, what, annotator, True, truth)
    numeric = is_numeric(table.cells[header], options)
    listed = asked(options.classes, *names) or {header, what} & {*options.labels}
    if header in table.lists:
        return _of_lists(table, header, bool(annotator or truth))
    if listed or annotator or truth or what in CLASSES:
        ordered = listed or "" in options.classes or options.order
        ordered = ordered or any(_order_of(plain(h)) for h in table.cells.columns)
        if numeric and not ordered and what != "expression":
            raise UserError(_two_meanings(table, header, what, options))
        return Labels(header, what, annotator, False, truth, order)
    if not header:
        return "it has no name"
    if numeric:
        return f"numbers without a name that is known; --scale={header}=LOW:HIGH"
    return f"words; --labels={header} makes it a column of classes"


def is_aside(header: str, options: TableOptions) -> bool:
    """Whether a header begins as those of one person's labels and isn't said to be."""
    person = WIDE.match(header) or BEHIND.match(header)
    return bool(person) and header not in options.annotators


def _is_named(header: str, options: TableOptions) -> bool:
    said = asked(options.scales, header) or asked(options.classes, header)
    return bool(said) or header in options.labels


def _of_lists(table: Table, header: str, said: bool) -> str:
    """Why a column of lists is no labels.

    Raises:
      UserError: its header says that it is somebody's.
    """
    if said:
        raise UserError(
            f"{table.name}: {header!r} has lists; an annotator gives a picture one "
            "class, or a number in a column for each dimension. Shares or votes of "
            f"classes are read where nobody is named: rename it, or --ignore={header}"
        )
    return f"lists; --labels={header} reads them as shares or votes of classes"


def _order_of(name: str) -> str:
    """'raf' of 'expression:raf'; '' of names without an order."""
    order = name.partition(":")[2]
    return order if order in label_orders.ORDERS else ""


def _two_meanings(table: Table, header: str, what: str, options: TableOptions) -> str:
    cells = table.cells[header]
    given = cells[[not is_missing(text, options) for text in cells]]
    first = ", ".join(f"line {table.lines[i]}: {t}" for i, t in given.head(3).items())
    key = what or "label"
    return (
        f"{table.name}: the numbers of {header!r} ({first}) could be classes or values;"
        f" say --classes={key}=NAME,NAME,... in the order of the numbers, "
        f"--scale={key}=LOW:HIGH, or --order=NAME, such as raf, of expressions"
    )


def _whose(header: str, options: TableOptions) -> tuple[str, str]:
    """Whose labels a column has, '' if the header doesn't say, and of what truth."""
    header = header.strip()
    known = {*DIMENSIONS, *CLASSES, *map(plain, options.labels)}
    known |= {plain(name) for name in (*options.scales, *options.classes) if name}
    if match := WIDE.match(header):
        return _person(match["rest"], known)
    if match := BEHIND.match(header):
        return match["rest"], plain(match["what"])
    if header not in options.annotators:
        return "", plain(header)
    return _before_or_behind(header, known - {plain(header)})


def _person(rest: str, known: set[str]) -> tuple[str, str]:
    """'ann:valence' or 'ann_valence' as annotator and what he or she gives."""
    person, _, order = rest.rpartition(":")
    if person and order in label_orders.ORDERS:
        person, what = _person(person, known)
        return person, f"{what or 'expression'}:{order}"
    person, _, what = rest.rpartition(":")
    if person:
        return person, plain(what)
    person, _, what = rest.rpartition("_")
    if person and plain(what) in known:
        return person, plain(what)
    return rest, ""


def _before_or_behind(header: str, known: set[str]) -> tuple[str, str]:
    """'Ann valence' and 'valence2' as annotator and what he or she gives."""
    for what in sorted(known, key=lambda name: (-len(name), name)):
        word = re.escape(what).replace("_", "[ _]")
        for form in (rf"(.+?)[ _:\-.]+{word}", rf"{word}[ _:\-.]*(.+)"):
            if match := re.fullmatch(form, header, re.IGNORECASE):
                return match[1], what
    return header, ""

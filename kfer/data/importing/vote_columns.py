"""Which columns of a table count votes, or hold shares, for a class each."""

import re
from collections.abc import Mapping, Sequence

from kfer import tasks as tasks_lib
from kfer.data import label_orders
from kfer.data.importing import headers as headers_lib
from kfer.data.importing import lists
from kfer.data.importing.headers import Labels
from kfer.data.importing.options import TableOptions, plain
from kfer.data.importing.table import Table
from kfer.errors import UserError


def of(
    table: Table, options: TableOptions, headers: list[str]
) -> tuple[str, dict[str, str]]:
    """What is voted on, '' if no header says, and class -> header, where columns are
    named by classes and hold numbers.

    Args:
      table: as read.
      options: votes, classes.
      headers: of the columns that have no other role.

    Raises:
      UserError: two columns are of one class, or the user names other classes.
    """
    if options.votes:
        return "", _as_listed(_by_class(table, options.votes), options)
    named: list[str] = []
    inner: dict[str, list[str]] = {}
    for header in headers:
        shares = table.cells[header].str.removesuffix("%")
        if not headers_lib.is_numeric(shares, options):
            continue
        # 'label:calm', 'label:tense': an object of shares in JSON, or a list of them.
        whose, mid, name = header.rpartition(":")
        if mid and lists.is_soft(whose, options) and name not in label_orders.ORDERS:
            inner.setdefault(whose, []).append(header)
        elif class_of(header) in label_orders.NAMES:
            named.append(header)
    if len({*map(class_of, named)}) >= 3:
        return "", _by_class(table, named)
    for whose, found in inner.items():
        if len(found) > 1:
            by_class = _by_class(table, found, len(whose) + 1)
            return lists.truth_of(whose), _ordered(table, whose, by_class, options)
    return "", {}


def _by_class(table: Table, headers: Sequence[str], start: int = 0) -> dict[str, str]:
    """Class, as the header has it from `start` on -> header.

    Raises:
      UserError: two headers are of one class.
    """
    found: dict[str, str] = {}
    for header in headers:
        name = class_of(header[start:])
        if name in found:
            raise UserError(
                f"{table.name}: {found[name]!r} and {header!r} both count votes for "
                f"{name!r}; leave one out"
            )
        found[name] = header
    return found


def _as_listed(found: dict[str, str], options: TableOptions) -> dict[str, str]:
    """In the order and with the names of --classes, where they are the same."""
    names = lists.named("label", options) or ()
    if {*map(class_of, names)} != {*found} or {*found} <= {*label_orders.NAMES}:
        return found
    return {name: found[class_of(name)] for name in names}


def check(
    table: Table,
    votes: Mapping[str, str],
    labels: Sequence[Labels],
    options: TableOptions,
) -> None:
    """Raises UserError where --classes is of votes alone and names other classes.

    Args:
      table: as read.
      votes: see of.
      labels: columns of labels.
      options: classes.
    """
    names = lists.named("label", options)
    if not (votes and names) or not all(part.is_values for part in labels):
        return
    classes = classes_of(votes, options)
    if [class_of(name) for name in names] != [class_of(name) for name in classes]:
        raise UserError(
            f"{table.name} has votes for {', '.join(classes)}, and --classes names "
            f"{', '.join(names)}; leave --classes out, or rename the columns"
        )


def classes_of(votes: Mapping[str, str], options: TableOptions) -> tuple[str, ...]:
    """The classes that are voted on in order.

    Where each is an expression these are all expressions, or those of --classes.
    """
    if not all(name in label_orders.NAMES for name in votes):
        return tuple(votes)
    names = lists.named("expression", options) or lists.named("label", options) or ()
    listed = tuple(map(class_of, names))
    voted = {*votes} - {*label_orders.NOT_EXPRESSIONS}
    if voted <= {*listed} <= {*tasks_lib.EXPRESSIONS}:
        return listed
    return tasks_lib.EXPRESSIONS[: 8 if "contempt" in votes else 7]


def _ordered(
    table: Table, of: str, found: dict[str, str], options: TableOptions
) -> dict[str, str]:
    """Class -> header in the order and with the names that the user gives.

    Raises:
      UserError: the user names other classes.
    """
    names = lists.named(of, options)
    if names is None:
        return found
    if {*map(class_of, names)} != {*found}:
        raise UserError(
            f"{table.name}: {of!r} has {', '.join(found)}, and the classes named are "
            f"{', '.join(names)}"
        )
    return {name: found[class_of(name)] for name in names}


def class_of(header: str) -> str:
    """The class that a header or a name stands for, as 'sad' of 'Votes Sadness'."""
    name = re.sub(r"^votes?[ _:]", "", plain(header))
    return label_orders.canonical(name)

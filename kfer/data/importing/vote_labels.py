"""Votes beside labels of the same truth: one list of classes for both."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from kfer.data.importing.coding import Coded
from kfer.data.importing.table import Table
from kfer.data.importing.vote_columns import class_of
from kfer.data.importing.votes import Votes
from kfer.data.record import Column
from kfer.errors import UserError


def matched(
    table: Table,
    found: Votes,
    labels: Column,
    coded: Mapping[str, Coded],
    is_listed: bool,
) -> tuple[Votes, dict[str, Coded]]:
    """Votes and labels with the same classes, spelled as the labels'.

    Args:
      table: as read.
      found: the votes.
      labels: of the same truth.
      coded: header -> these labels.
      is_listed: whether the user gives the labels' classes in order.

    Raises:
      UserError: they are labels of other classes, or values.
    """
    mine = [class_of(name) for name in labels.classes]
    voted = [class_of(name) for name in found.target.classes]
    order = _order(mine, voted, is_listed)
    if not order:
        raise UserError(_differ(table, found, labels, is_listed))
    spelled = dict(zip(voted, found.target.classes, strict=True))
    spelled |= dict(zip(mine, labels.classes, strict=True))
    target = dataclasses.replace(
        found.target, classes=tuple(spelled[name] for name in order)
    )
    counts = np.zeros((len(found.counts), len(order)))
    counts[:, [order.index(name) for name in voted]] = found.counts
    moved = np.array([order.index(name) for name in mine], np.int64)
    return (
        dataclasses.replace(found, target=target, counts=counts),
        {header: _moved(part, moved) for header, part in coded.items()},
    )


def _order(mine: list[str], voted: list[str], is_listed: bool) -> list[str]:
    """The classes of both; [] where they don't fit."""
    if not mine or len({*mine}) < len(mine):
        return []
    short = min(len(mine), len(voted))
    if mine[:short] == voted[:short]:
        return max(mine, voted, key=len)
    if is_listed:
        return mine if {*voted} <= {*mine} else []
    return voted if {*mine} <= {*voted} else []


def _moved(part: Coded, moved: Sequence[int]) -> Coded:
    codes = np.where(part.codes < 0, part.codes, np.take(moved, part.codes))
    return dataclasses.replace(part, codes=codes)


def _differ(table: Table, found: Votes, labels: Column, is_listed: bool) -> str:
    name = labels.name
    listed = "all of these in --classes" if is_listed else "all with --classes"
    return (
        f"{table.name} has votes for {', '.join(found.target.classes)} and a column of "
        f"{name} with {', '.join(labels.classes) or 'values'}: name {listed}, or leave "
        "one out with --ignore"
    )

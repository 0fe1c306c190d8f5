"""What an understood table lacks or seems to have wrong, before all is written."""

from collections.abc import Iterator

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import label_orders
from kfer.data.importing.label_sets import LabelSet
from kfer.data.importing.understand import Understanding


def of(found: Understanding) -> list[str]:
    """Sentences on halves of points, lone classes, annotators apart or like classes.

    Args:
      found: see understand.
    """
    return [
        *_halves(found),
        *_lone_classes(found),
        *_apart(found),
        *_named_as_classes(found),
    ]


def _halves(found: Understanding) -> Iterator[str]:
    """Rows with valence or arousal alone, whose pair is left out."""
    for label_set in found.sets:
        if len(label_set.headers) < 2:
            continue
        first, second = label_set.headers
        alone = found.given(first) ^ found.given(second)
        for header in label_set.headers:
            alone[[*found.coded[header].faults]] = False
        if alone.any():
            line = found.table.lines[int(alone.argmax())]
            yield (
                f"{first} or {second} stands alone in {alone.sum()} rows (the first is "
                f"line {line}): no label, a point needs both"
            )


def _lone_classes(found: Understanding) -> Iterator[str]:
    for name, target in found.targets.items():
        if not target.is_categorical:
            continue
        codes = {
            int(code)
            for part in found.sets
            if part.target == name
            for code in np.unique(found.coded[part.headers[0]].codes)
            if code >= 0
        }
        if found.votes and found.votes.target.name == name:
            codes |= set(np.flatnonzero(found.votes.counts.sum(axis=0)).tolist())
        if len(codes) == 1:
            only = target.classes[codes.pop()]
            yield f"only {only!r} occurs of {name}: there is nothing to tell apart"


def _apart(found: Understanding) -> Iterator[str]:
    """That no picture has labels of two annotators, where several give some."""
    raters: dict[str, set[str]] = {}
    for label_set in found.sets:
        for row in np.flatnonzero(_said(found, label_set)):
            whose = label_set.annotator or (found.people[row] if found.is_long else "")
            if whose and not label_set.is_truth:
                raters.setdefault(found.ids[row], set()).add(whose)
    several = len(set().union(*raters.values())) > 1
    if several and all(len(names) == 1 for names in raters.values()):
        yield "no two annotators share a picture: nothing but the model compares them"


def _named_as_classes(found: Understanding) -> Iterator[str]:
    """That annotators are called as expressions, as where two headers are swapped."""
    people = sorted({*found.people} - {""})
    called = {label_orders.canonical(name) for name in people}
    if called & {*tasks_lib.EXPRESSIONS} and called <= {*label_orders.NAMES}:
        header = found.roles.of["annotator"]
        yield (
            f"the annotators of column {header!r} are called {', '.join(people)}: are "
            "its header and that of the labels swapped?"
        )


def _said(found: Understanding, label_set: LabelSet) -> np.ndarray:
    """bool [rows], where a label set has a label."""
    return np.logical_and.reduce([found.given(name) for name in label_set.headers])

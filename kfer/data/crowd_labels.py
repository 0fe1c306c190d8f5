"""The label of a picture in a crowd column: who said what, as pairs.

Of a column that declares `annotators`, a record's value is a tuple of (annotator's
number, label) pairs, one for each annotator who labelled the picture: a class each, or
a tuple of floats. So 5,000 annotators who each label a few pictures cost what they
said, not a column each.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

# Of the stored features, which are lists of one length: see kfer.data.record.
CROWD = "crowd/"
ANNOTATOR, LABEL = "/annotator", "/label"

# People above which a long table's labels become one crowd column.
MANY = 10

Pairs = tuple[tuple[int, Any], ...]


def is_crowd(value: Any) -> bool:
    """Whether a record's label is a crowd's; a class and values are not."""
    return (
        isinstance(value, (tuple, list))
        and len(value) > 0
        and isinstance(value[0], (tuple, list))
    )


def problem(
    name: str, value: Any, num_annotators: int, of_label: Callable[[Any], str]
) -> str:
    """Why `value` can't stand in a crowd column, or '' if it can.

    Args:
      name: of the column.
      value: pairs.
      num_annotators: that the column declares.
      of_label: why a single label can't stand there.
    """
    if not is_crowd(value) or not all(len(pair) == 2 for pair in value):
        return f"{name} is not a list of (annotator, label) pairs"
    who = [annotator for annotator, _ in value]
    for annotator in who:
        whole = isinstance(annotator, (int, np.integer))
        if not whole or not 0 <= annotator < num_annotators:
            return f"{name} has annotator {annotator}, not in 0..{num_annotators - 1}"
    if len(set(who)) != len(who):
        twice = next(a for a in who if who.count(a) > 1)
        return f"{name} has two labels of annotator {twice}"
    return next((text for _, label in value if (text := of_label(label))), "")


def in_order(value: Any) -> Pairs:
    """The pairs by annotator, so that equal labels are stored as equal bytes."""
    return tuple(
        (int(a), tuple(v) if isinstance(v, (tuple, list)) else int(v))
        for a, v in sorted(value, key=lambda pair: pair[0])
    )


def to_features(name: str, value: Any) -> dict[str, list[Any]]:
    """Feature -> list of ints or floats, for storage."""
    pairs = in_order(value)
    labels = [
        number
        for _, label in pairs
        for number in (label if isinstance(label, tuple) else (label,))
    ]
    who = [annotator for annotator, _ in pairs]
    return {CROWD + name + ANNOTATOR: who, CROWD + name + LABEL: labels}


def from_features(
    who: Sequence[int], classes: Sequence[int], values: Sequence[float]
) -> Pairs:
    """Inverse of to_features, from the numbers of annotators and of classes or
    values."""
    if classes:
        return tuple(zip(who, classes, strict=True))
    size = len(values) // len(who)
    parts = (tuple(values[i * size : (i + 1) * size]) for i in range(len(who)))
    return tuple(zip(who, parts, strict=True))


def spec(name: str, categorical: bool) -> dict[str, Any]:
    """What tf.io.parse_example needs to read a crowd column: two ragged features."""
    import tensorflow as tf

    kinds = {ANNOTATOR: tf.int64, LABEL: tf.int64 if categorical else tf.float32}
    return {
        CROWD + name + part: tf.io.RaggedFeature(kind, row_splits_dtype=tf.int64)
        for part, kind in kinds.items()
    }


def names_in(features: Mapping[str, Any]) -> list[str]:
    """The crowd columns that a stored record has labels of."""
    return sorted(
        name[len(CROWD) : -len(ANNOTATOR)]
        for name in features
        if name.startswith(CROWD) and name.endswith(ANNOTATOR)
    )

"""Pictures whose class and whose valence and arousal can't both be right; NumPy.

The rule needs no model. It is about the sides of Russell's (1980) circumplex: happy
faces are pleasant; sad, disgusted and contemptuous ones unpleasant; surprised ones
excited; fearful and angry ones unpleasant and excited; neutral ones near the middle.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kfer.audit import values as values_lib
from kfer.audit.label_sets import LabelSets
from kfer.tasks import VALENCE_AROUSAL

# Class -> the sides of valence and arousal it must not leave; 0 is free.
SIDES = {
    "happy": (1, 0),
    "sad": (-1, 0),
    "surprise": (0, 1),
    "fear": (-1, 1),
    "disgust": (-1, 0),
    "anger": (-1, 1),
    "contempt": (-1, 0),
}
# How far on the wrong side a value may be, and how far from the middle a neutral face.
MARGIN = 0.2
NEUTRAL = 0.6

# How many are listed.
LISTED = 50


def excess(
    labels: np.ndarray, classes: Sequence[str], values: np.ndarray
) -> np.ndarray:
    """How far a picture's values are beyond what its class allows, [n].

    Args:
      labels: integers [n], below 0 where missing.
      classes: their names; one that the rule doesn't know is never contradicted.
      values: valence and arousal [n, 2], NaN where missing.

    Returns:
      Above 0 for a contradiction; NaN where the class or the values are missing.
    """
    sides = np.array([SIDES.get(name, (0, 0)) for name in classes], np.float64)
    known = (labels >= 0) & values_lib.known_rows(values)
    found = np.full(len(labels), np.nan)
    rows, side = values[known], sides[labels[known]]
    beyond = np.where(side == 0, -np.inf, -side * rows).max(axis=1) - MARGIN
    if "neutral" in classes:
        calm = labels[known] == list(classes).index("neutral")
        beyond = np.where(calm, np.linalg.norm(rows, axis=1) - NEUTRAL, beyond)
    found[known] = beyond
    return found


def pairs(sets: LabelSets) -> Iterator[tuple[str, str]]:
    """Class column and value column, of classes that the rule knows and (V, A)."""
    names = [
        name
        for name in sets.annotators()
        if set(sets.columns[name].classes) & set(SIDES)
    ]
    for group in sets.values():
        if sets.columns[group[0]].dimensions == VALENCE_AROUSAL:
            yield from ((name, value) for name in names for value in group)


def find(sets: LabelSets) -> list[dict[str, Any]]:
    """What the rule finds, for each pair of a class and a value column.

    Returns:
      'classes' and 'values' (columns), 'compared' pictures, 'count' of contradictions,
      'by_class' (name -> count), and the LISTED worst as 'worst': image_id, label,
      values and excess.
    """
    found = []
    for name, value in pairs(sets):
        labels, classes = sets.labels[name], sets.columns[name].classes
        beyond = excess(labels, classes, sets.labels[value])
        bad = np.flatnonzero(beyond > 0)
        counts = np.bincount(labels[bad], minlength=len(classes))
        order = bad[np.argsort(-beyond[bad], kind="stable")][:LISTED]
        found.append(
            {
                "classes": name,
                "values": value,
                "compared": int(np.sum(~np.isnan(beyond))),
                "count": len(bad),
                "by_class": {
                    label: int(n) for label, n in zip(classes, counts, strict=True) if n
                },
                "worst": [
                    {
                        "image_id": sets.ids[i],
                        "label": classes[labels[i]],
                        "values": sets.labels[value][i].tolist(),
                        "excess": float(beyond[i]),
                    }
                    for i in order
                ],
            }
        )
    return found

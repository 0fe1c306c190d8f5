"""What AffectNet's numbers mean, in either layout; see affectnet."""

from typing import Any

import numpy as np

from kfer.data import label_orders, reasons, tables
from kfer.data import record as record_lib
from kfer.images.alignment import Point

ORDER = label_orders.ORDERS["affectnet"]
MISSING_VALUE = -2.0
NUM_LANDMARKS = 68
LEFT_EYE, RIGHT_EYE = slice(36, 42), slice(42, 48)


class SetAside(Exception):
    """Why a row becomes a Rejected."""

    def __init__(self, reason: str, detail: str):
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def parse_labels(
    expression: str, valence: str, arousal: str, num_classes: int
) -> dict[str, Any]:
    """The label columns of one row, from its texts.

    Raises:
      SetAside: out of range, no number, or no expression that was asked for.
    """
    number = tables.whole_number(expression)
    try:
        name = ORDER.class_name(-1 if number is None else number)
    except ValueError:
        detail = f"expression {expression!r} is not in 0..10"
        raise SetAside(reasons.OUT_OF_RANGE, detail) from None
    if name in label_orders.NOT_EXPRESSIONS:
        raise SetAside(reasons.no_expression(name), f"expression {expression}")
    if ORDER.to_kfer(number) >= num_classes:
        raise SetAside(reasons.not_asked_for(name), f"{num_classes} classes asked for")
    labels: dict[str, Any] = {"expression": ORDER.to_kfer(number)}
    values = (tables.number(valence), tables.number(arousal))
    if MISSING_VALUE in values:
        return labels
    if problem := record_lib.valence_arousal().problem(values):
        raise SetAside(reasons.OUT_OF_RANGE, problem)
    return labels | {"valence_arousal": values}


def eyes_of(landmarks: np.ndarray) -> tuple[Point, ...]:
    """Eye centres from 68 landmarks in the order x, y, x, y...

    Raises:
      SetAside: another count, or not finite.
    """
    values = np.asarray(landmarks, np.float64).ravel()
    if values.size != 2 * NUM_LANDMARKS or not np.isfinite(values).all():
        detail = f"{values.size} numbers, expected {2 * NUM_LANDMARKS} finite ones"
        raise SetAside(reasons.BAD_LANDMARKS, detail)
    points = values.reshape(NUM_LANDMARKS, 2)
    centres = (points[part].mean(axis=0) for part in (LEFT_EYE, RIGHT_EYE))
    return tuple((float(x), float(y)) for x, y in centres)

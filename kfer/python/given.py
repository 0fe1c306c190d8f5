"""What a user gives from Python, checked where tuple() would take it for another."""

import numbers
from collections.abc import Iterable
from typing import Any

from kfer.errors import UserError


def check_order(what: str, values: Any) -> None:
    """Raises UserError for a set, whose order changes from process to process."""
    if isinstance(values, (set, frozenset)):
        raise UserError(f"{what} is a set, which has no order; give a list")


def names(what: str, values: Any) -> tuple[str, ...]:
    """Names in an order, as text.

    Raises:
      UserError: a lone text, which would be taken letter by letter, a set, or no list.
    """
    check_order(what, values)
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise UserError(f"{what} is a list of names, got {values!r}")
    return tuple(str(value) for value in values)


def scale(what: str, values: Any) -> tuple[float, float]:
    """The lowest and the highest value.

    Raises:
      UserError: anything but two numbers.
    """
    check_order(what, values)
    ends = () if isinstance(values, (str, bytes)) else values
    ends = tuple(ends) if isinstance(ends, Iterable) else ()
    if len(ends) != 2 or not all(isinstance(end, numbers.Real) for end in ends):
        raise UserError(
            f"{what} is the lowest and the highest value, such as (1, 9), got "
            f"{values!r}"
        )
    return ends

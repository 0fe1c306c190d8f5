"""What a user gives from Python, checked where tuple() would take it for another."""

import numbers
import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kfer.errors import UserError


def check_order(what: str, values: Any) -> None:
    """Raises UserError for a set, whose order changes from process to process."""
    if isinstance(values, (set, frozenset)):
        raise UserError(f"{what} is a set, which has no order; give a list")


def names(what: str, values: Any) -> tuple[str, ...]:
    """Names in an order, as text.

    Raises:
      UserError: a lone text, which would be taken letter by letter, a dict, whose
        values would be lost, a set, or no list.
    """
    check_order(what, values)
    one = (str, bytes, Mapping)
    if isinstance(values, one) or not isinstance(values, Iterable):
        raise UserError(f"{what} is a list of names, got {values!r}")
    return tuple(str(value) for value in values)


def one_or_more(what: str, values: Any) -> tuple[str, ...]:
    """Names in an order; a lone text is one. Raises UserError as `names` does."""
    return (values,) if isinstance(values, str) else names(what, values)


def scale(what: str, values: Any) -> tuple[float, float]:
    """The lowest and the highest value; see `pair`."""
    return pair(what, "the lowest and the highest value", values, (1, 9))


def pair(
    what: str, meaning: str, values: Any, example: tuple[float, float]
) -> tuple[float, float]:
    """Two numbers, as Python's own.

    Args:
      what: their name, for messages.
      meaning: of the two, for messages.
      values: as they were given.
      example: of them.

    Raises:
      UserError: anything but two numbers.
    """
    check_order(what, values)
    ends = () if isinstance(values, (str, bytes)) else values
    ends = tuple(ends) if isinstance(ends, Iterable) else ()
    if len(ends) != 2 or not all(isinstance(end, numbers.Real) for end in ends):
        raise UserError(f"{what} is {meaning}, such as {example}, got {values!r}")
    # NumPy's numbers can't be written as JSON.
    return tuple(end.item() if hasattr(end, "item") else end for end in ends)


def pictures(images: Any) -> Any:
    """Pictures as a sequence of them; a lone path is one.

    Raises:
      UserError: a lone array, whose rows would be taken for pictures, or a set.
    """
    if isinstance(images, (str, os.PathLike)):
        return [images]
    check_order("images", images)
    is_array = isinstance(images, np.ndarray) and images.dtype.kind in "biuf"
    if is_array and images.size and (images.ndim < 3 or images.shape[2:] == (3,)):
        raise UserError(
            "Pictures are [N, height, width, 3] or a list, got one array "
            f"{list(images.shape)}; give a single picture as [picture]"
        )
    return images

"""Text of a cell -> a number, and a scale -> the range that is stored."""

import math
import re
from collections.abc import Iterable

from kfer.errors import UserError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
# Longer than any number that is meant.
_LONGEST = 40


def number(text: str, decimal: str = "") -> float | None:
    """A finite number; None where the text is none.

    Args:
      text: of a cell.
      decimal: '.' or ','; '' reads both, where only one of them occurs.
    """
    text = text.strip()
    if decimal == "," or (not decimal and "." not in text):
        text = text.replace(",", ".", 1)
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def check_decimal(cells: Iterable[str], header: str, decimal: str) -> None:
    """Raises UserError where a comma could part decimals or thousands."""
    if decimal:
        return
    commas = [text for text in cells if "," in text]
    if commas and all(
        re.fullmatch(r"\s*[+-]?[1-9]\d{0,2}(,\d{3})+\s*", t) for t in commas
    ):
        raise UserError(
            f"{commas[0]!r} of {header!r} could be a fraction or thousands; say "
            "--decimal=, or --decimal=."
        )


def rescaled(
    value: float, scale: tuple[float, float], target: tuple[float, float]
) -> float:
    """A value of one scale on another, the ends on the ends."""
    share = (value - scale[0]) / (scale[1] - scale[0])
    return target[0] + share * (target[1] - target[0])

"""Why records are set aside: the phrases that are counted, and which are no faults.

A fault (a corrupt file, a label out of range) counts towards --max_rejected; an
exclusion follows from what was asked for (seven classes, no leaks) and does not.
"""

from collections.abc import Mapping

WRONG_COLUMNS = "wrong column count"
OUT_OF_RANGE = "label out of range"
NOT_A_NUMBER = "not a number"
DUPLICATE_ID = "duplicate id"
UNKNOWN_SPLIT = "unknown split"
MISSING_ANNOTATION = "missing annotation"
BAD_ANNOTATION = "bad annotation"
BAD_LANDMARKS = "bad landmarks"
BAD_BOX = "bad box"
SWAPPED_EYES = "left and right eye swapped"
BAD_VOTES = "bad votes"
BAD_PIXELS = "bad pixels"
BAD_NAME = "bad image name"
NOT_ALIGNABLE = "face not alignable"

# Of single labels that are left out; counted, no fault of the row.
HALF_A_POINT = "valence or arousal alone"

_NO_EXPRESSION = "no expression: "
_NOT_ASKED_FOR = "class not asked for: "
_LEAK = "leak: "


def no_expression(name: str) -> str:
    """The annotation says that there is no expression, or no face."""
    return _NO_EXPRESSION + name


def not_asked_for(name: str) -> str:
    """The class is none of those asked for."""
    return _NOT_ASKED_FOR + name


def leak(split: str, earlier: str) -> str:
    """A picture of a split also stands in an earlier one, which keeps it."""
    return f"{_LEAK}{split} picture also in {earlier}"


def near_copy(split: str, earlier: str) -> str:
    """A picture looks like one of an earlier split, which keeps it."""
    return f"{_LEAK}{split} picture looks like one in {earlier}"


def is_exclusion(reason: str) -> bool:
    """Whether a reason follows from what was asked for and is no fault of the data."""
    return reason.startswith((_NO_EXPRESSION, _NOT_ASKED_FOR, _LEAK))


def faults(counts: Mapping[str, int]) -> dict[str, int]:
    """Reason -> how many, without the exclusions."""
    return {reason: n for reason, n in counts.items() if not is_exclusion(reason)}


def excess(counts: Mapping[str, int], rows: int, max_rejected: float) -> str:
    """The share of faulty rows beside the largest allowed; '' where it is no larger.

    Args:
      counts: reason -> how many of the rows.
      rows: all that were read.
      max_rejected: the largest share, 0 to 1.
    """
    total = sum(faults(counts).values())
    if total <= max_rejected * rows:
        return ""
    return f"{total / rows:.1%}, --max_rejected={max_rejected:g}"

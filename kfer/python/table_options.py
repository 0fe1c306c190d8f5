"""What from_table is told of a table, in the types that importing expects.

A flag's text has its type by the flag; from Python any object may come.
"""

import dataclasses
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from kfer.data.importing.options import TableOptions
from kfer.errors import UserError
from kfer.python import given

_TEXTS = ("delimiter", "encoding", "decimal", "sheet", "order", "layout")
_LISTS = ("labels", "annotators", "votes", "ignore", "missing")
_NUMBERS = ("class_folder", "num_annotators")


def read(options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of TableOptions, checked.

    Args:
      options: as a user gives them; None is not given. A lone text is a list of one
        name; classes without a column's name are those of all.

    Raises:
      UserError: an unknown option, or one of another type or value.
    """
    known = {field.name for field in dataclasses.fields(TableOptions)} - {"path"}
    if unknown := sorted(set(options) - known):
        listed = ", ".join(sorted(known))
        raise UserError(f"from_table has no option {unknown[0]!r}; known: {listed}")
    given = {name: value for name, value in options.items() if value is not None}
    found = {name: _read(name, value) for name, value in given.items()}
    made = TableOptions(**found)
    return {name: getattr(made, name) for name in found}


def _read(name: str, value: Any) -> Any:
    if name in _TEXTS:
        return "\t" if (text := _text(name, value)) in ("tab", "\\t") else text
    if name in _LISTS:
        return given.one_or_more(name, value)
    if name in _NUMBERS:
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise UserError(f"{name} is a whole number, got {value!r}")
        return int(value)
    if name == "splits":
        return given.pair("splits", "the share of test and of valid", value, (0.1, 0.1))
    if name == "classes":
        by_column = value if isinstance(value, Mapping) else {"": value}
        return _by_name("classes", by_column, given.names, "")
    if name == "scales":
        example = '{"valence": (1, 9)}'
        return _by_name("scales", value, given.scale, example)
    return _by_name(name, value, _text, '{"joy": "happy"}')


def _by_name(
    what: str, value: Any, check: Callable[[str, Any], Any], example: str
) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise UserError(f"{what} is a dict such as {example}, got {value!r}")
    return {
        str(name): check(f"{what} of {name!r}" if name else what, row)
        for name, row in value.items()
    }


def _text(what: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UserError(f"{what} is a text, got {value!r}")
    return str(value)

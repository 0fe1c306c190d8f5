"""What a user may say about a table that it doesn't tell itself."""

import dataclasses
import math
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from kfer.data import label_orders
from kfer.data.importing import class_lists
from kfer.errors import UserError

# Cells that hold nothing, whatever their case. Where a number is expected, see values.
MISSING = ("", "nan", "na", "n/a", "null", "none", "-1", "-2")

ROLES = ("image", "id", "split", "subject", "annotator")
LAYOUTS = ("", "long", "wide")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class TableOptions:
    """Each is empty where the table is to be looked at.

    Attributes:
      path: the table, or a folder of class folders; '' for the manifest of the root.
      delimiter: of cells; encoding: of a text file; decimal: '.' or ','.
      sheet: of a spreadsheet.
      columns: role (ROLES) -> header.
      labels: headers of further columns of classes.
      annotators: headers of columns of one person's labels each.
      votes: headers of columns that count the votes for a class each.
      ignore: headers that are no labels.
      classes: header or truth -> names in the order of the numbers; '' stands for all.
      synonyms: name as in the table -> name to use.
      order: of numbers that are expressions, a key of label_orders.ORDERS.
      scales: header or dimension -> its lowest and highest value.
      missing: words that stand for no label, in any case; an empty cell always does.
      splits: share of test and of valid pictures where no column says the split.
      layout: 'long', where rows are ratings, or 'wide', where they are pictures.
      class_folder: which folder on the way to a picture names its class, from 1; 0
        looks.
      num_annotators: label sets that are drawn from votes.
    """

    path: str = ""
    delimiter: str = ""
    encoding: str = ""
    decimal: str = ""
    sheet: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    labels: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    votes: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    synonyms: Mapping[str, str] = dataclasses.field(default_factory=dict)
    order: str = ""
    scales: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    missing: tuple[str, ...] = MISSING
    splits: tuple[float, float] = (0.1, 0.1)
    layout: str = ""
    class_folder: int = 0
    num_annotators: int = 3

    def __post_init__(self):
        for field in ("labels", "annotators", "votes", "ignore", "missing", "splits"):
            object.__setattr__(self, field, _listed(field, getattr(self, field)))
        for field in ("classes", "scales"):
            rows = getattr(self, field).items()
            rows = {key: _listed(f"{field} of {key!r}", row) for key, row in rows}
            object.__setattr__(self, field, rows)
        # As cells are looked up; an empty cell says nothing whatever the words are.
        words = ("", *(_folded(str(word)) for word in self.missing))
        object.__setattr__(self, "missing", tuple(dict.fromkeys(words)))
        self._check()

    def _check_ignored(self) -> None:
        said = {f"--column={role}": (h,) for role, h in self.columns.items()}
        said |= {"--labels": self.labels, "--annotators": self.annotators}
        for flag, headers in (said | {"--votes": self.votes}).items():
            if both := [header for header in headers if header in self.ignore]:
                raise UserError(
                    f"{both[0]!r} is given to {flag} and to --ignore; give it to one"
                )

    def _check_names(self) -> None:
        kinds = (("classes", plain), ("scales", plain), ("synonyms", _folded))
        for field, form in kinds:
            known: dict[str, str] = {}
            given = getattr(self, field)
            for name in given:
                other = known.setdefault(form(name), name)
                if given[other] != given[name]:
                    raise UserError(
                        f"{field} has {other!r} and {name!r}, which are one name, for "
                        "different things"
                    )

    def _check(self) -> None:
        self._check_ignored()
        self._check_names()
        if unknown := sorted(set(self.columns) - set(ROLES)):
            raise UserError(f"No column is the {unknown[0]!r}; known: {ROLES}")
        if self.order:
            label_orders.order(self.order)
        if self.layout not in LAYOUTS:
            raise UserError(f"layout {self.layout!r} is neither 'long' nor 'wide'")
        if self.decimal not in ("", ".", ","):
            raise UserError(f"decimal {self.decimal!r} is neither '.' nor ','")
        for name, (low, high) in self.scales.items():
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise UserError(f"The scale of {name!r} goes from {low:g} to {high:g}")
        for name, classes in self.classes.items():
            class_lists.check(name, classes)
        good = len(self.splits) == 2 and all(map(math.isfinite, self.splits))
        if not good or min(self.splits) < 0 or sum(self.splits) >= 1:
            raise UserError(
                f"splits {self.splits} leave nothing to train on; give the shares of "
                "test and of valid, such as 0.1,0.1"
            )
        if self.num_annotators < 1:
            raise UserError(f"num_annotators {self.num_annotators} is below 1")


def from_dict(fields: Mapping[str, Any] | None) -> TableOptions:
    """The options as dataset.json or a pipeline has them."""
    return TableOptions(**(fields or {}))


def _listed(field: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        raise UserError(f"{field} is the text {value!r}; give a list, as [{value!r}]")
    return tuple(value)


def is_missing(text: str, options: TableOptions) -> bool:
    """Whether a cell holds nothing; '-1.0' is what '-1' is."""
    return _folded(text) in options.missing


def _folded(text: str) -> str:
    return plain_number(text).casefold()


def plain_number(text: str) -> str:
    """'-1' of '-1.0', as tables write whole numbers beside fractions or NaN."""
    return re.sub(r"^([+-]?\d+)(\.0+|,0{1,2})$", r"\1", text.strip())


def plain(header: str) -> str:
    """'Image Path' as 'image_path'."""
    return re.sub(r"[\s\-.]+", "_", header.strip()).casefold()


def asked(given: Mapping[str, T], *names: str) -> list[T]:
    """What is said of any of these headers or truths, each thing once."""
    wanted = {plain(name) for name in names}
    found = [value for key, value in given.items() if plain(key) in wanted]
    return [value for i, value in enumerate(found) if value not in found[:i]]

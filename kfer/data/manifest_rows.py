"""Rows of a manifest file and what their cells mean; see datasets.manifest."""

import functools
import json
import math
import os
from collections.abc import Iterator
from typing import Any

from kfer import tasks as tasks_lib
from kfer.data import affectnet_labels, label_noise, label_orders, reasons, tables
from kfer.data import record as record_lib
from kfer.errors import UserError
from kfer.images.alignment import Point

FILES = ("manifest.csv", "manifest.jsonl")
NO_IMAGE = "no image named"
ANNOTATOR = "annotator:"
PROBLEM = "\0problem"
# Words for nothing; in class columns -1 and -2 too, and -2 for valence and arousal.
MISSING = ("nan", "na", "n/a", "null")
SPLITS = {
    **{"train": "train", "training": "train"},
    **{"valid": "valid", "val": "valid", "validation": "valid"},
    **{"dev": "valid", "publictest": "valid"},  # FER2013's public one
    **{"test": "test", "testing": "test", "privatetest": "test"},
}
EYES = ("left_eye_x", "left_eye_y", "right_eye_x", "right_eye_y")
KNOWN = (
    "image",
    "id",
    "split",
    "expression",
    "valence",
    "arousal",
    "clean:expression",
    "clean:valence",
    "clean:arousal",
    *EYES,
    "landmarks",
    "box",
)


class BadRow(Exception):
    """Why a row becomes a Rejected."""

    def __init__(self, reason: str, detail: str):
        super().__init__(reason)
        self.reason, self.detail = reason, detail


def find(root: str) -> str:
    """The folder's manifest.

    Raises:
      UserError: none, or both kinds.
    """
    found = [n for n in FILES if os.path.isfile(os.path.join(root, n))]
    if len(found) != 1:
        raise UserError(
            f"{root} has {' and '.join(found) or 'no manifest'}; expected one of "
            f"{' or '.join(FILES)}"
        )
    return os.path.join(root, found[0])


def column_names(path: str) -> list[str]:
    """The names that rows of the manifest use.

    Raises:
      UserError: a name is unknown or stands twice, or there is no 'image'.
    """
    if path.endswith(".csv"):
        names = [name.strip() for name in next(tables.rows(path), ("", []))[1]]
    else:
        names = sorted({name for _, row in rows(path) for name in row} - {PROBLEM})
    unknown = [
        name
        for name in names
        if name not in KNOWN and not name.startswith(ANNOTATOR) and not _order_of(name)
    ]
    twice = sorted({name for name in names if names.count(name) > 1})
    if unknown or twice or "image" not in names:
        raise UserError(
            f"{path} has the columns {names}: "
            + (f"unknown {unknown}" if unknown else f"twice {twice}" if twice else "")
            + ("" if "image" in names else "'image' is missing")
            + f"; known are {', '.join(KNOWN)}, {ANNOTATOR}<name>, expression:<order>"
        )
    return names


def _order_of(name: str) -> str:
    base, _, order = name.partition(":")
    return order if base == "expression" and order in label_orders.ORDERS else ""


def annotators(path: str) -> list[str]:
    """The <name> of each annotator:<name> column, in order."""
    return [n[len(ANNOTATOR) :] for n in column_names(path) if n.startswith(ANNOTATOR)]


def annotator_column(name: str) -> str:
    """The label column of an annotator."""
    return f"{label_noise.ANNOTATOR}{name}"


def rows(path: str, root: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """('file:line', column -> value); empty cells are left out.

    A row that is malformed has PROBLEM -> (reason, detail) besides what could be read.
    """
    if path.endswith(".csv"):
        yield from _csv_rows(path, root)
        return
    for source, line in tables.lines(path, root):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"a {type(row).__name__}, expected an object")
            if any(_is_broken(text) for pair in row.items() for text in pair):
                raise ValueError("half of a surrogate pair, which is no character")
            yield source, {k: v for k, v in row.items() if not _is_missing(k, v)}
        except (ValueError, RecursionError) as error:
            yield source, {PROBLEM: (reasons.BAD_ANNOTATION, f"no JSON: {error}")}


def _is_broken(value: Any) -> bool:
    """Whether it holds half of a surrogate pair, which can't be written."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def _is_missing(name: str, value: Any) -> bool:
    """Whether a cell holds no label; see MISSING."""
    if value is None or not isinstance(value, str | int | float):
        return value is None
    return str(value).strip().casefold() in _missing_words(name)


@functools.lru_cache(4096)  # of column names; a file has millions of cells
def _missing_words(name: str) -> tuple[str, ...]:
    words = ("",) if name in ("image", "id") else ("", *MISSING)
    base = name.removeprefix("clean:").partition(":")[0]
    if base in ("expression", ANNOTATOR[:-1]):
        return (*words, "-1", "-2")
    return (*words, "-2") if base in tasks_lib.VALENCE_AROUSAL else words


def _csv_rows(path: str, root: str) -> Iterator[tuple[str, dict[str, Any]]]:
    names: list[str] = []
    for source, fields in tables.rows(path, root):
        if not names:
            names = [field.strip() for field in fields]
            continue
        cells = {
            name: field.strip()
            for name, field in zip(names, fields, strict=False)
            if not _is_missing(name, field)
        }
        if len(fields) != len(names):
            detail = f"{len(fields)} columns, expected {len(names)}"
            cells[PROBLEM] = (reasons.WRONG_COLUMNS, detail)
        yield source, cells


def split_of(row: dict[str, Any]) -> str:
    """'train', 'valid' or 'test'.

    Raises:
      BadRow: another word.
    """
    word = str(row.get("split", "train")).lower()
    if word not in SPLITS:
        detail = f"split {word!r} is none of {', '.join(SPLITS)}"
        raise BadRow(reasons.UNKNOWN_SPLIT, detail)
    return SPLITS[word]


def class_name(value: Any, order: str = "kfer") -> str:
    """The class name that a cell stands for: a name or a number of an order.

    Raises:
      BadRow: neither.
    """
    number = tables.whole_number(str(value))
    if number is None:
        name = label_orders.canonical(str(value))
        if name in label_orders.NAMES:
            return name
        detail = f"expression {value!r} is no class; known: "
        raise BadRow(reasons.OUT_OF_RANGE, detail + ", ".join(tasks_lib.EXPRESSIONS))
    try:
        return label_orders.order(order).class_name(number)
    except ValueError as error:
        raise BadRow(reasons.OUT_OF_RANGE, f"expression {error}") from error


def labels_of(row: dict[str, Any], num_classes: int) -> dict[str, Any]:
    """The label columns of a row.

    Raises:
      BadRow: a cell that means nothing, or an expression that was not asked for.
    """
    labels: dict[str, Any] = {}
    known = tasks_lib.EXPRESSIONS[:num_classes]
    for column, value in row.items():
        order = _order_of(column)
        if column == "expression" or order:
            name = _asked_for(class_name(value, order or "kfer"), known)
            labels["expression"] = known.index(name)
        elif column.startswith(ANNOTATOR):
            name = class_name(value)
            if name in known:
                labels[annotator_column(column[len(ANNOTATOR) :])] = known.index(name)
    return labels | _valence_arousal(row, "")


def clean_of(row: dict[str, Any], num_classes: int) -> dict[str, Any]:
    """The clean columns of a row of a manifest that has some.

    Raises:
      BadRow: a cell that means nothing, or an expression that was not asked for.
    """
    clean: dict[str, Any] = {}
    if "clean:expression" in row:
        known = tasks_lib.EXPRESSIONS[:num_classes]
        name = _asked_for(class_name(row["clean:expression"]), known)
        clean["expression"] = known.index(name)
    return clean | _valence_arousal(row, "clean:")


def _asked_for(name: str, known: tuple[str, ...]) -> str:
    if name in label_orders.NOT_EXPRESSIONS:
        raise BadRow(reasons.no_expression(name), f"expression {name!r}")
    if name not in known:
        raise BadRow(reasons.not_asked_for(name), f"{len(known)} classes asked for")
    return name


def _valence_arousal(row: dict[str, Any], prefix: str) -> dict[str, Any]:
    cells = [row.get(prefix + name) for name in tasks_lib.VALENCE_AROUSAL]
    if None in cells:
        # One value without the other is no point of the plane; both are missing then.
        return {}
    values = tuple(tables.number(str(cell)) for cell in cells)
    if problem := record_lib.valence_arousal().problem(values):
        hint = "; --scale reads other scales" if all(map(math.isfinite, values)) else ""
        raise BadRow(reasons.OUT_OF_RANGE, problem + hint)
    return {"valence_arousal": values}


def left_out(row: dict[str, Any]) -> tuple[str, ...]:
    """Why single labels of a row are left out: a valence without its arousal."""
    pairs = [[p + n in row for n in tasks_lib.VALENCE_AROUSAL] for p in ("", "clean:")]
    return tuple(reasons.HALF_A_POINT for pair in pairs if sum(pair) == 1)


def _numbers(value: Any) -> list[float]:
    parts = value if isinstance(value, list) else str(value).split(";")
    flat = [v for part in parts for v in (part if isinstance(part, list) else [part])]
    return [tables.number(str(part)) for part in flat]


def eyes_of(row: dict[str, Any]) -> tuple[Point, ...]:
    """Eye centres from the eye columns, else from landmarks, else ().

    Raises:
      BadRow: a wrong count, or no finite numbers.
    """
    given = [name for name in EYES if name in row]
    if given:
        values = [tables.number(str(row.get(name, "nan"))) for name in EYES]
        if not all(map(math.isfinite, values)):
            detail = f"eye centres {[row.get(name) for name in EYES]}"
            raise BadRow(reasons.BAD_LANDMARKS, detail)
        return ((values[0], values[1]), (values[2], values[3]))
    if "landmarks" not in row:
        return ()
    try:
        return affectnet_labels.eyes_of(_numbers(row["landmarks"]))
    except affectnet_labels.SetAside as error:
        raise BadRow(error.reason, error.detail) from error


def box_of(row: dict[str, Any]) -> tuple[float, ...]:
    """x, y, width, height, or ().

    Raises:
      BadRow: not four finite numbers, or an empty box.
    """
    if "box" not in row:
        return ()
    box = tuple(_numbers(row["box"]))
    if len(box) != 4 or not all(map(math.isfinite, box)) or min(box[2:]) <= 0:
        raise BadRow(reasons.BAD_BOX, f"box {row['box']!r}, expected x;y;width;height")
    return box

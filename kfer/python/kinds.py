"""Labels that a user has in memory, of several kinds, as numbers with their meaning."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kfer.data.importing import headers
from kfer.data.importing import roles as roles_lib
from kfer.errors import UserError

LABEL = "label"
# Columns of the table that is written, beside those of labels.
ROLES = ("image", "annotator", "split", "subject")


class Kinds:
    """Kinds of labels by name: arrays of classes' numbers (-1) or values (NaN).

    Attributes:
      labels: kind -> [N, A] or [L].
      truth: kind -> [N].
      classes: kind of classes -> names.
      scales: kind of values -> lowest and highest, where given.
    """

    def __init__(self, labels: Any, truth: Any, classes: Any, scales: Any):
        labels, truth = _named(labels), _named(truth)
        names = [*labels, *(name for name in truth if name not in labels)]
        classes = (
            classes if isinstance(classes, Mapping) else {n: classes for n in names}
        )
        scales = scales if isinstance(scales, Mapping) else {n: scales for n in names}
        self.labels: dict[str, np.ndarray] = {}
        self.truth: dict[str, np.ndarray] = {}
        self.classes: dict[str, tuple[str, ...]] = {}
        self.scales: dict[str, tuple[float, float]] = {}
        for name in names:
            _check_name(name)
            parts = [p[name] for p in (labels, truth) if name in p]
            known, coded = _coded(name, parts, tuple(classes.get(name) or ()))
            if known:
                self.classes[name] = known
            elif scales.get(name):
                self.scales[name] = tuple(scales[name])
            elif name not in headers.DIMENSIONS:
                raise UserError(
                    f"{name} has numbers with decimals; say its lowest and highest "
                    f"value, as scales={{{name!r}: (1, 9)}}, or give whole numbers"
                )
            for part, found in ((labels, self.labels), (truth, self.truth)):
                if name in part:
                    found[name] = coded.pop(0)

    def options(self, frame: pd.DataFrame) -> dict[str, Any]:
        """How importing reads the table that is written of them."""
        return {
            "delimiter": ",",
            "encoding": "utf-8",
            "decimal": ".",
            "missing": ("",),
            "columns": {role: role for role in ROLES if role in frame},
            "labels": tuple(n for n in self.classes if n in frame),
            "classes": {
                name: tuple(f"{i}:{c}" for i, c in enumerate(known))
                for name, known in self.classes.items()
            },
            "scales": self.scales,
        }


def _named(labels: Any) -> dict[str, np.ndarray]:
    if labels is None:
        return {}
    by_name = labels if isinstance(labels, Mapping) else {LABEL: labels}
    return {str(name): np.asarray(rows) for name, rows in by_name.items()}


def _check_name(name: str) -> None:
    if not name.isidentifier() or not roles_lib.names_labels(name):
        raise UserError(
            f"A kind of labels can't be called {name!r}: letters, digits and _, and no "
            "word for a picture, a person, the truth or a single expression"
        )


def _coded(
    name: str, parts: list[np.ndarray], listed: tuple[str, ...]
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Names of classes and their numbers (-1), or () and values (NaN)."""
    numeric = [part.dtype.kind in "iubf" for part in parts]
    floats = any(part.dtype.kind == "f" for part in parts)
    if floats and all(numeric) and not listed:
        return (), [part.astype(np.float64) for part in parts]
    words = [part for part, plain in zip(parts, numeric, strict=True) if not plain]
    said = {str(word) for part in words for word in part[~_is_empty(part)].flat}
    highest = max(
        (int(p.max()) for p in parts if p.dtype.kind in "iub" and p.size), default=1
    )
    known = listed or tuple(sorted(said))
    known = known or tuple(f"class {i}" for i in range(max(highest + 1, 2)))
    if stray := sorted(said - {*known}):
        raise UserError(f"{name} has {stray[0]!r}, which is none of {list(known)}")
    return known, [
        _numbers(name, part, known) if plain else _of_words(part, known)
        for part, plain in zip(parts, numeric, strict=True)
    ]


def _is_empty(part: np.ndarray) -> np.ndarray:
    return pd.isna(part) | (part == "")


def _of_words(part: np.ndarray, known: tuple[str, ...]) -> np.ndarray:
    number = {name: i for i, name in enumerate(known)}
    codes = [
        -1 if gone else number[str(word)]
        for word, gone in zip(part.flat, _is_empty(part).flat, strict=True)
    ]
    return np.array(codes, np.int64).reshape(part.shape)


def _whole(name: str, part: np.ndarray) -> np.ndarray:
    """int64, -1 for NaN, which makes floats of a table's whole numbers."""
    if part.dtype.kind != "f":
        return part.astype(np.int64)
    filled = np.where(np.isnan(part), -1.0, part)
    if (odd := filled != np.floor(filled)).any():
        raise UserError(f"{name} has {filled[odd][0]:g}, which is no class's number")
    return filled.astype(np.int64)


def _numbers(name: str, part: np.ndarray, known: tuple[str, ...]) -> np.ndarray:
    found = _whole(name, part)
    if odd := sorted({int(v) for v in found.flat if not -1 <= v < len(known)}):
        raise UserError(
            f"{name} has the number {odd[0]}; classes are 0 to {len(known) - 1}, and "
            "-1 is none"
        )
    return found


def is_missing(part: np.ndarray) -> np.ndarray:
    """Where a coded label is none."""
    return np.isnan(part) if part.dtype.kind == "f" else part < 0

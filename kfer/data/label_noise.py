"""Noise that a job puts on the labels of the training split, whose truth is kept."""

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from kfer.data import record as record_lib
from kfer.data.record import Column
from kfer.errors import UserError
from kfer.noise import continuous, flips, transition

KINDS = ("none", "exclusive", "inclusive", "pairs", "confusion")
ANNOTATOR = "annotator_"
MAJORITY = "majority"
EXPRESSION = "expression"
VALENCE_AROUSAL = "valence_arousal"


@dataclasses.dataclass(frozen=True)
class LabelNoise:
    """What is simulated, on the training split alone.

    Attributes:
      kind: 'none'; 'exclusive' and 'inclusive' flip uniformly (see noise.flips);
        'pairs' moves a class to its partner; 'confusion' draws from an annotator's
        matrix.
      rates: one label set annotator_1.. for each rate (not for 'confusion').
      pairs: (class, the class it is mistaken for), by name.
      matrices: one label set for each confusion matrix [K, K], truth by row.
      value_annotators: one valence/arousal label set each.
      majority: add the column 'majority' of the annotator columns, simulated or read; a
        tie goes to the tied class that the earliest annotator gives.
      column: the categorical column that is made noisy.
      seed: of all draws.
    """

    kind: str = "none"
    rates: tuple[float, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    matrices: tuple[tuple[tuple[float, ...], ...], ...] = ()
    value_annotators: tuple[continuous.Annotator, ...] = ()
    majority: bool = False
    column: str = EXPRESSION
    seed: int = 0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise UserError(f"noise {self.kind!r} is none of {', '.join(KINDS)}")
        if (self.kind in ("exclusive", "inclusive", "pairs")) != bool(self.rates):
            raise UserError(
                f"noise {self.kind!r} has the rates {self.rates}; rates go with "
                "exclusive, inclusive and pairs, one for each annotator"
            )
        if (self.kind == "confusion") != bool(self.matrices):
            raise UserError("noise 'confusion' needs confusion matrices, and only it")
        if (self.kind == "pairs") != bool(self.pairs):
            raise UserError(
                f"noise {self.kind!r} has the class pairs {self.pairs}; 'pairs' needs "
                "them, and only it"
            )
        for rate in self.rates:
            flips.check_rate(rate)

    @property
    def is_active(self) -> bool:
        return self.kind != "none" or bool(self.value_annotators) or self.majority

    def annotators(self) -> list[str]:
        """Names of the simulated categorical label sets."""
        count = len(self.rates) or len(self.matrices)
        return [f"{ANNOTATOR}{i}" for i in range(1, count + 1)]

    def value_columns(self) -> list[str]:
        """Names of the simulated valence/arousal label sets."""
        count = len(self.value_annotators)
        if count == 1:
            return [VALENCE_AROUSAL]
        return [f"{VALENCE_AROUSAL}_{i}" for i in range(1, count + 1)]

    def requested(self) -> dict[str, float]:
        """Label column -> noise rate asked for."""
        return dict(zip(self.annotators(), self.rates, strict=False))

    def achieved_values(
        self, labels: Sequence[dict[str, Any]], clean: Sequence[dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        """Simulated valence/arousal label set -> continuous.achieved of its rows."""
        if not self.value_annotators:
            return {}
        truth = _values(clean, VALENCE_AROUSAL)
        return {
            name: continuous.achieved(_values(labels, name), truth)
            for name in self.value_columns()
        }

    def columns(
        self, columns: dict[str, Column], clean: dict[str, Column]
    ) -> dict[str, Column]:
        """The label columns of the data set with those that the noise adds.

        Raises:
          UserError: the truth of a column that is made noisy isn't known.
        """
        found = dict(columns)
        if self.kind != "none":
            classes = _known(clean, self.column).classes
            found |= {n: record_lib.categorical(n, classes) for n in self.annotators()}
        if self.value_annotators:
            truth = _known(clean, VALENCE_AROUSAL)
            for name in self.value_columns():
                found[name] = dataclasses.replace(truth, name=name)
        if self.majority:
            sets = [c for n, c in found.items() if n.startswith(ANNOTATOR)]
            if not sets:
                raise UserError(
                    "A majority vote needs annotator columns; there are none"
                )
            found[MAJORITY] = dataclasses.replace(sets[0], name=MAJORITY)
        return found

    def apply(
        self,
        labels: Sequence[dict[str, Any]],
        clean: Sequence[dict[str, Any]],
        columns: dict[str, Column],
    ) -> list[dict[str, Any]]:
        """The label columns of all training examples, in their order.

        Args:
          labels: as read; where noise is simulated for a column, it goes.
          clean: the truth of each.
          columns: as `columns` returns.
        """
        rng = np.random.default_rng(self.seed)
        result = [dict(row) for row in labels]
        if self.kind != "none":
            truth = _classes(clean, self.column)
            size = columns[self.annotators()[0]].size
            names = columns[self.annotators()[0]].classes
            for row in result:
                row.pop(self.column, None)
            for i, name in enumerate(self.annotators()):
                _store(result, name, self._given(i, truth, size, names, rng))
        if self.value_annotators:
            self._add_values(result, clean, rng)
        if self.majority:
            sets = [n for n in columns if n.startswith(ANNOTATOR)]
            votes = np.stack([_classes(result, name) for name in sets])
            _store(result, MAJORITY, flips.majority_vote(votes, columns[MAJORITY].size))
        return result

    def _given(
        self,
        index: int,
        truth: np.ndarray,
        size: int,
        names: tuple[str, ...],
        rng: np.random.Generator,
    ) -> np.ndarray:
        if self.kind == "confusion":
            matrix = transition.check(np.array(self.matrices[index]), size)
            return transition.sample(truth, matrix, rng)
        if self.kind == "pairs":
            pairs = {_index(a, names): _index(b, names) for a, b in self.pairs}
            return flips.flip_pairs(truth, self.rates[index], size, pairs, rng)
        return flips.flip_labels(truth, self.rates[index], size, rng, self.kind)

    def _add_values(
        self,
        rows: list[dict[str, Any]],
        clean: Sequence[dict[str, Any]],
        rng: np.random.Generator,
    ) -> None:
        truth = _values(clean, VALENCE_AROUSAL)
        for row in rows:
            row.pop(VALENCE_AROUSAL, None)
        for name, annotator in zip(
            self.value_columns(), self.value_annotators, strict=True
        ):
            for row, pair in zip(
                rows, continuous.annotate(truth, annotator, rng), strict=True
            ):
                if np.isfinite(pair).all():
                    row[name] = tuple(map(float, pair))


def to_json(noise: LabelNoise) -> str:
    """The noise as text, for a pipeline's parameters."""
    return json.dumps(dataclasses.asdict(noise), sort_keys=True)


def from_json(text: str) -> LabelNoise:
    """Inverse of to_json."""
    fields = _tuples(json.loads(text))
    rows = fields.pop("value_annotators")
    return LabelNoise(
        value_annotators=tuple(continuous.Annotator(**row) for row in rows), **fields
    )


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _tuples(part) for key, part in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _known(clean: dict[str, Column], name: str) -> Column:
    if name not in clean:
        raise UserError(
            f"Noise on {name!r} needs its truth; this data set knows that of "
            f"{', '.join(clean) or 'nothing'}"
        )
    return clean[name]


def _index(name: str, classes: tuple[str, ...]) -> int:
    if name not in classes:
        raise UserError(f"Unknown class {name!r}; known: {', '.join(classes)}")
    return classes.index(name)


def _classes(rows: Sequence[dict[str, Any]], name: str) -> np.ndarray:
    return np.array([row.get(name, -1) for row in rows], np.int64)


def _values(rows: Sequence[dict[str, Any]], name: str) -> np.ndarray:
    found = [row.get(name, (np.nan, np.nan)) for row in rows]
    return np.array(found, np.float64).reshape(-1, 2)


def _store(rows: list[dict[str, Any]], name: str, values: np.ndarray) -> None:
    for row, value in zip(rows, values, strict=True):
        if value >= 0:
            row[name] = int(value)


def read_matrices(path: str) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Confusion matrices of a JSON file: a list of [K, K] lists, or one of them.

    Raises:
      UserError: the file can't be read or holds something else.
    """
    try:
        with open(path, encoding="utf-8") as file:
            values = np.array(json.load(file), np.float64)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path} holds no confusion matrices ({error})") from error
    if values.ndim == 2:
        values = values[np.newaxis]
    if values.ndim != 3 or values.shape[1] != values.shape[2]:
        name = os.path.basename(path)
        raise UserError(f"{name} has shape {values.shape}, expected [annotators, K, K]")
    return tuple(tuple(map(tuple, transition.check(m).tolist())) for m in values)


def parse_pairs(text: str) -> tuple[tuple[str, str], ...]:
    """'disgust>anger,fear>surprise' as pairs of names.

    Raises:
      UserError: a part is no pair.
    """
    pairs = [tuple(part.strip().split(">")) for part in text.split(",") if part.strip()]
    if bad := [pair for pair in pairs if len(pair) != 2]:
        raise UserError(f"Class pairs look like 'disgust>anger', got {bad[0]}")
    return tuple(pairs)


def parse_value_annotator(text: str) -> continuous.Annotator:
    """'std=0.1,bias=0.05:-0.1,swap=0.02' as an annotator of valence and arousal.

    Raises:
      UserError: an unknown word or no number.
    """
    fields: dict[str, Any] = {}
    try:
        for part in filter(None, text.split(",")):
            key, value = part.split("=")
            if key == "bias":
                fields["bias"] = tuple(float(v) for v in value.split(":"))
            else:
                fields[{"std": "std", "swap": "swap_rate"}[key]] = float(value)
    except (ValueError, KeyError) as error:
        raise UserError(
            f"Valence/arousal noise looks like 'std=0.1,bias=0.05:-0.1,swap=0.02', got "
            f"{text!r}"
        ) from error
    return continuous.Annotator(**fields)

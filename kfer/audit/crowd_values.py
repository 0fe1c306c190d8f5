"""A crowd column of values: Gaussian annotators, one dimension after the other."""

from typing import Any

import numpy as np

from kfer.crowd import values as values_lib
from kfer.crowd.triples import Values
from kfer.crowd.values import ValueConsensus
from kfer.data.record import Column

# Values an annotator, below which bias, scale and spread say nothing.
ENOUGH = 10


def of_column(
    dimensions: list[Values], column: Column, truth: np.ndarray | None
) -> tuple[dict[str, Any], list[ValueConsensus]] | None:
    """Summarises a crowd column of values; None without a value.

    Args:
      dimensions: its values, one for each of the column's dimensions.
      column: what they mean.
      truth: float64 [N, D], NaN where unknown; None if the split has none.

    Returns:
      The summary, plain and JSON-able, and the consensus of each dimension.
    """
    first = dimensions[0]
    if not len(first.value):
        return None
    found = [values_lib.fit_held_out(values) for values in dimensions]
    count = first.by_annotator(np.ones(len(first.value))).astype(int)
    per_item = first.by_item(np.ones(len(first.value)))
    overlap = bool((per_item > 1).any())
    summary = {
        "column": column.name,
        "dimensions": list(column.dimensions),
        "labels": len(first.value),
        "pictures": int(np.sum(per_item > 0)),
        "people": int(np.sum(count > 0)),
        "consensus": [
            _account(one, values, _of(truth, d))
            for d, (one, values) in enumerate(zip(found, dimensions, strict=True))
        ],
        "annotators": _people(found, column, count) if overlap else [],
        "notes": [] if overlap else [_alone(column)],
    }
    return summary, found


def _of(truth: np.ndarray | None, dimension: int) -> np.ndarray | None:
    return None if truth is None else truth[:, dimension]


def _alone(column: Column) -> str:
    return (
        f"{column.name}: no two annotators share a picture; their bias and spread "
        "can't be told from the labels"
    )


def _account(
    found: ValueConsensus, values: Values, truth: np.ndarray | None
) -> dict[str, Any]:
    """The fit, and its error and the plain mean's where the truth is known."""
    count = values.by_item(np.ones(len(values.value)))
    with np.errstate(invalid="ignore"):
        mean = values.by_item(values.value) / np.where(count, count, np.nan)
    return {
        "iterations": found.iterations,
        "converged": found.converged,
        "strength": found.strength,
        "rmse": _rmse(found.mean, truth),
        "rmse_of_mean": _rmse(mean, truth),
    }


def _rmse(values: np.ndarray, truth: np.ndarray | None) -> float | None:
    if truth is None:
        return None
    off = (values - truth)[np.isfinite(values) & np.isfinite(truth)]
    return float(np.sqrt(np.mean(off**2))) if len(off) else None


def _people(
    found: list[ValueConsensus], column: Column, count: np.ndarray
) -> list[dict[str, Any]]:
    """A row for each annotator with a value: the steadiest first, then those of too
    few values, most values first."""
    spread = np.mean([one.spread for one in found], axis=0)
    who = np.flatnonzero(count)
    known = sorted((a for a in who if count[a] >= ENOUGH), key=lambda a: spread[a])
    others = sorted((a for a in who if count[a] < ENOUGH), key=lambda a: -count[a])
    return [
        {
            "annotator": column.annotators[a],
            "labels": int(count[a]),
            **{
                key: [float(getattr(one, key)[a]) for one in found]
                if count[a] >= ENOUGH
                else None
                for key in ("bias", "scale", "spread")
            },
        }
        for a in (*known, *others)
    ]

"""Labels with what a model proposes instead: as a table, and as a data set."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kfer.audit import crowd_judgement
from kfer.audit.judgement import Judgement
from kfer.audit.label_sets import LabelSets, given
from kfer.audit.rankings import Ranking

HEADS = ("image_id", "column", "given", "proposed", "suspicion", "why")


def rows(sets: LabelSets, judged: Judgement) -> Iterator[list[str]]:
    """A row of HEADS for every label that is given, column by column, worst first.

    'proposed' is what was given where nothing else is proposed; 'why' is empty then.
    """
    for name, ranked in judged.rankings.items():
        labels, column = sets.labels[name], sets.columns[name]
        known = np.flatnonzero(given(labels) & ~np.isnan(ranked.suspicion))
        for row in known[np.argsort(-ranked.suspicion[known], kind="stable")]:
            why = ""
            if ranked.changed[row]:
                why = reason(sets, judged, name, row)
            yield [
                sets.ids[row],
                name,
                text(labels[row], column.classes),
                text(ranked.proposed[row], column.classes),
                f"{ranked.suspicion[row]:.6f}",
                why,
            ]

    for name, crowd in judged.crowds.items():
        yield from crowd_judgement.rows(sets, name, crowd)


def text(label: Any, classes: tuple[str, ...]) -> str:
    """A label as people write it: a class's name, or values with spaces."""
    if classes:
        return classes[label]
    return " ".join(f"{value:.4f}" for value in label)


def reason(sets: LabelSets, judged: Judgement, name: str, row: int) -> str:
    """Why another label is proposed, in a few words."""
    ranked = judged.rankings[name]
    if judged.posterior is None or not sets.columns[name].is_categorical:
        return f"{ranked.suspicion[row]:.1f} standard deviations from the model"
    best = ranked.proposed[row]
    said = [int(sets.labels[a][row]) for a in sets.annotators()]
    said = [label for label in said if label >= 0]
    chance = judged.posterior[row, best]
    return (
        f"{ranked.chosen}: probability {chance:.3f}; "
        f"{said.count(int(best))} of {len(said)} annotators say so"
    )


def of_judgement(
    sets: LabelSets, rankings: Mapping[str, Ranking]
) -> dict[str, dict[str, Any]]:
    """Column -> image id -> the label proposed, for rewrite.with_corrections."""
    return {
        name: {
            sets.ids[row]: _plain(ranked.proposed[row])
            for row in np.flatnonzero(ranked.changed)
        }
        for name, ranked in rankings.items()
    }


def _plain(label: Any) -> Any:
    return int(label) if np.ndim(label) == 0 else tuple(float(v) for v in label)

"""The pictures with the most suspicious labels, for the page."""

import base64
from typing import Any

import numpy as np

from kfer.audit import label_sets
from kfer.audit.corrections import text
from kfer.audit.judgement import Judgement
from kfer.audit.label_sets import LabelSets
from kfer.data.dataset import Dataset

# How many pictures are shown for classes and for each set of values.
SHOWN = 24


def shown(
    dataset: Dataset, split: str, sets: LabelSets, judged: Judgement
) -> list[dict[str, Any]]:
    """What the page shows, the worst first.

    Returns:
      For the class label sets together and for each of values: 'title', and 'pictures'
      of 'image_id', 'uri', 'given' (label, suspicion and whether another is proposed,
      by column), 'proposed' and 'truth' ('' if unknown).
    """
    classes = [n for n in judged.rankings if sets.columns[n].is_categorical]
    groups = {"Most suspicious classes": classes} if classes else {}
    groups |= {
        f"Most suspicious values of {name}": [name]
        for name in judged.rankings
        if name not in classes
    }
    return [
        {"title": title, "pictures": _pictures(dataset, split, sets, judged, names)}
        for title, names in groups.items()
    ]


def worst(sets: LabelSets, judged: Judgement, names: list[str]) -> np.ndarray:
    """Rows of the SHOWN pictures whose most suspicious label is worst.

    Of classes the annotators' alone count: what is derived from them repeats them.
    """
    people = [name for name in names if name in sets.annotators()] or names
    doubts = np.stack([judged.rankings[name].suspicion for name in people])
    top = np.nan_to_num(doubts, nan=-np.inf).max(axis=0)
    order = np.argsort(-top, kind="stable")[:SHOWN]
    return order[np.isfinite(top[order])]


def _pictures(
    dataset: Dataset, split: str, sets: LabelSets, judged: Judgement, names: list[str]
) -> list[dict[str, Any]]:
    rows = worst(sets, judged, names)
    pictures = label_sets.encoded_pictures(dataset, split, rows)
    classes = sets.columns[names[0]].classes
    _, truth = sets.truth(names[0])
    found = []
    for row, picture in zip(rows, pictures, strict=True):
        labels = {n: sets.labels[n][row] for n in names}
        code = base64.b64encode(picture).decode()
        found.append(
            {
                "image_id": sets.ids[row],
                "uri": f"data:image/{dataset.image_format};base64,{code}",
                "given": {
                    name: {
                        "label": text(label, classes),
                        "suspicion": f"{judged.rankings[name].suspicion[row]:.3f}",
                        "changed": bool(judged.rankings[name].changed[row]),
                    }
                    for name, label in labels.items()
                    if np.all(label_sets.given(np.array([label])))
                },
                "proposed": text(judged.rankings[names[0]].best[row], classes),
                "truth": _truth(truth, row, classes),
            }
        )
    return found


def _truth(truth: np.ndarray | None, row: int, classes: tuple[str, ...]) -> str:
    if truth is None or not label_sets.given(truth[row : row + 1]).all():
        return ""
    return text(truth[row], classes)

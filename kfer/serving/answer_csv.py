"""Answers as CSV, one row a picture or a face."""

import csv
import io
from collections.abc import Sequence
from typing import Any

PLACE = ("path", "face", "x", "y", "width", "height", "score", "note")


def header(targets: Sequence[dict[str, Any]]) -> list[str]:
    """The columns: PLACE, then of each target its class, confidence and probabilities,
    or its dimensions."""
    names = list(PLACE)
    for target in targets:
        name, classes = target["name"], target["classes"]
        if classes:
            names += [name, f"{name} confidence", *(f"{name} {c}" for c in classes)]
        else:
            names += [f"{name} {dimension}" for dimension in target["dimensions"]]
    return names


def text(rows: Sequence[dict], targets: Sequence[dict[str, Any]]) -> str:
    """Rows of Predictor.predict or FacePredictor.predict as CSV with a header.

    Args:
      rows: a row without an answer has why in 'note', and empty cells.
      targets: of the predictor.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = header(targets)
    writer.writerow(names)
    for row in rows:
        cells = _cells(row, targets)
        writer.writerow(cells + [""] * (len(names) - len(cells)))
    return out.getvalue()


def _cells(row: dict, targets: Sequence[dict[str, Any]]) -> list[Any]:
    note = row.get("error", row.get("no_face", ""))
    box = row.get("box", [""] * 4)
    cells = [row["path"], row.get("face", ""), *box, row.get("score", ""), note]
    if note:
        return cells
    for target in targets:
        answer = row[target["name"]]
        if target["classes"]:
            cells += [answer["class"], answer["confidence"]]
            answer = answer["probabilities"]
        cells += answer.values()
    return cells

"""Answers as CSV, one row a picture or a face."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from kfer.serving.answer_rules import COLUMNS, WORDS

PLACE = ("path", "frame", "time", "face", "x", "y", "width", "height", "score", "note")


def header(targets: Sequence[dict[str, Any]]) -> list[str]:
    """The columns: PLACE, then of each target its class, where asked for its number in
    another tool's order, its confidence and probabilities, or its dimensions and, where
    asked for, words."""
    names = list(PLACE)
    for target in targets:
        name, classes = target["name"], target["classes"]
        if classes:
            names += [name, *([f"{name} label"] if target.get("numbered") else [])]
            names += [f"{name} confidence", *(f"{name} {c}" for c in classes)]
        else:
            names += [f"{name} {dimension}" for dimension in target["dimensions"]]
        if target.get("words"):
            names += [f"{name} {column}" for column in COLUMNS]
    return names


def cells(row: dict[str, Any], targets: Sequence[dict[str, Any]]) -> list[Any]:
    """One row as long as the header.

    Args:
      row: of kfer.serving.answer_rules.apply. One without an answer has why in 'note',
        and empty cells; where the model abstains the class is empty.
      targets: of kfer.serving.answer_rules.
    """
    note = row.get("error", row.get("no_face", ""))
    box = row.get("box", [""] * 4)
    at = [row.get(name, "") for name in ("frame", "time", "face")]
    found = [row["path"], *at, *box, row.get("score", ""), note]
    if note:
        return found + [""] * (len(header(targets)) - len(found))
    for target in targets:
        answer = row[target["name"]]
        if target["classes"]:
            found.append(answer["class"])
            found += [answer["label"]] if target.get("numbered") else []
            found.append(answer["confidence"])
            answer = answer["probabilities"]
        found += answer.values()
        if target.get("words"):
            found += (row[target["name"] + WORDS][column] for column in COLUMNS)
    return found


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """Rows of cells as text."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()

"""Rows of answers as table, JSON or CSV, printed as they come."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kfer.serving import answer_csv
from kfer.serving.answer_rules import WORDS

FORMATS = ("table", "json", "csv")

Rows = Sequence[dict[str, Any]]

# What a table and CSV call a class that is less sure than was asked for.
UNSURE = "unsure"


def pieces(
    kind: str, parts: Iterable[Rows], targets: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """Text to print, a piece for each part of the rows.

    Args:
      kind: of FORMATS.
      parts: rows as kfer.serving.answer_rules tells them, some at a time. A table's
        columns are as wide as the rows so far need.
      targets: of kfer.serving.answer_rules.
    """
    return {"table": _table, "json": _json, "csv": _csv}[kind](parts, targets)


def _json(parts: Iterable[Rows], targets: Any) -> Iterator[str]:
    del targets
    before = "[\n"
    for rows in parts:
        for row in rows:
            yield before + json.dumps(row, indent=1)
            before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _csv(parts: Iterable[Rows], targets: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield answer_csv.lines([answer_csv.header(targets)])
    for rows in parts:
        yield answer_csv.lines(answer_csv.cells(row, targets) for row in rows)


def _table(parts: Iterable[Rows], targets: Sequence[dict[str, Any]]) -> Iterator[str]:
    head = ["picture"]
    for target in targets:
        head += [target["name"]] if target["classes"] else target["dimensions"]
        head += ["affect"] if target.get("words") else []
    widths = [len(cell) for cell in head]
    lines = [head]
    for rows in parts:
        lines += [_cells(row, targets) for row in rows]
        full = [line for line in lines if len(line) == len(head)]
        widths = [max(w, *(len(f[i]) for f in full), 0) for i, w in enumerate(widths)]
        widths[0] = max(widths[0], *(len(line[0]) for line in lines))
        yield "".join(_padded(line, widths) for line in lines)
        lines = []
    if lines:
        yield _padded(head, widths)


def _padded(line: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=False))
    return "  ".join(padded).rstrip() + "\n"


def _cells(row: dict[str, Any], targets: Sequence[dict[str, Any]]) -> list[str]:
    cells = [_place(row)]
    if "error" in row:
        return [*cells, f"error: {row['error']}"]
    if "no_face" in row:
        return [*cells, row["no_face"]]
    for target in targets:
        answer = row[target["name"]]
        if target["classes"]:
            cells.append(class_text(answer))
        else:
            cells += [f"{answer[name]:+.2f}" for name in target["dimensions"]]
        if target.get("words"):
            cells.append(row[target["name"] + WORDS]["affect"])
    return cells


def class_text(answer: dict[str, Any]) -> str:
    """'happy 87 %', or how sure the model is of what it doesn't tell."""
    return f"{answer['class'] or UNSURE} {100 * answer['confidence']:.0f} %"


def _place(row: dict[str, Any]) -> str:
    words = [row["path"]]
    if "time" in row:
        words.append(f"{row['time']:.2f} s")
    if "face" in row:
        words.append(f"face {row['face']}")
    return " ".join(words)

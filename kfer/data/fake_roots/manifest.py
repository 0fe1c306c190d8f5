"""Writes a small folder with a manifest; see manifest.make_fake_root."""

import json
from typing import Any

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data.fake_roots import faces
from kfer.data.fake_roots.files import write_image, write_text

ANNOTATORS = ("1", "2", "3")


def write(root: str, count: int, rng: np.random.Generator, layout: str) -> list[str]:
    """See manifest.make_fake_root."""
    rows = [_row(root, index, rng) for index in range(count)]
    if layout == "jsonl":
        lines = [json.dumps(row) for row in rows]
        write_text(root, "manifest.jsonl", "\n".join(lines) + "\n")
    else:
        names = list(dict.fromkeys(name for row in rows for name in row))
        lines = [",".join(_cell(row.get(name)) for name in names) for row in rows]
        write_text(root, "manifest.csv", "\n".join([",".join(names), *lines]) + "\n")
    return [row["image"] for row in rows]


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _row(root: str, index: int, rng: np.random.Generator) -> dict[str, Any]:
    image, eyes, _ = faces.face(rng)
    name = f"pictures/{index:04d}.png"
    write_image(root, name, image)
    votes = [tasks_lib.EXPRESSIONS[i] for i in rng.integers(0, 7, len(ANNOTATORS))]
    row: dict[str, Any] = {
        "image": name,
        "split": "test" if index % 5 == 4 else "train",
        "expression": tasks_lib.EXPRESSIONS[rng.integers(7)],
        "valence": round(float(rng.uniform(-1, 1)), 4),
        "arousal": round(float(rng.uniform(-1, 1)), 4),
        "left_eye_x": eyes[0][0],
        "left_eye_y": eyes[0][1],
        "right_eye_x": eyes[1][0],
        "right_eye_y": eyes[1][1],
    }
    row |= {f"annotator:{a}": vote for a, vote in zip(ANNOTATORS, votes, strict=True)}
    if index % 3 == 1:
        row["annotator:2"] = row["valence"] = None
    return row

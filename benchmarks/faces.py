"""Recall, false alarms and milliseconds of every detector of faces: one JSON line.

python benchmarks/faces.py [--scenes=200] [--seed=0]

On scikit-image's 100 faces and 100 other pictures of 25 px a picture counts as found
if it has any face. Scenes are 1280 x 960 pictures with 0 to 5 drawn faces at known
places; a face is found if a box overlaps its head's outline by IOU, each box once, and
every other box is a false alarm.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import app, flags
from skimage import data

from kfer.data import drawn_faces
from kfer.data.drawn_faces import degrade
from kfer.faces.detectors import DETECTORS, Detector
from kfer.faces.face import Box, Face, overlap

FLAGS = flags.FLAGS

flags.DEFINE_integer("scenes", 200, "Drawn scenes.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Other seeds draw other scenes.")

WIDTH, HEIGHT = 1280, 960
CELL = 320
MOST_FACES = 5
SIDES = (64, 300)
# Detectors box brows to chin, the outline is the whole head.
IOU = 0.3


def scene(rng: np.random.Generator) -> tuple[np.ndarray, list[Box]]:
    """uint8 [HEIGHT, WIDTH, 3] with faces in cells of a grid, and their boxes."""
    look = drawn_faces.sample_face(rng).scene
    picture = degrade.background(look, WIDTH)[:HEIGHT].copy()
    cells = (WIDTH // CELL) * (HEIGHT // CELL)
    boxes = []
    for cell in rng.permutation(cells)[: rng.integers(MOST_FACES + 1)]:
        side = int(rng.integers(*SIDES))
        left, top = (
            CELL * int(v) + int(rng.integers(CELL - side))
            for v in (cell % (WIDTH // CELL), cell // (WIDTH // CELL))
        )
        face = drawn_faces.sample_face(rng)
        picture[top : top + side, left : left + side] = drawn_faces.draw(face, side)
        x, y, width, height = drawn_faces.box(face, side)
        boxes.append((left + x, top + y, width, height))
    return picture, boxes


def matched(faces: Sequence[Face], boxes: Sequence[Box]) -> int:
    """Known boxes that a face was found for, best overlap first, each face once."""
    pairs = sorted(
        (
            (overlap(f.box, b), i, j)
            for i, f in enumerate(faces)
            for j, b in enumerate(boxes)
        ),
        reverse=True,
    )
    used: set[int] = set()
    hit: set[int] = set()
    for share, i, j in pairs:
        if share >= IOU and i not in used and j not in hit:
            used.add(i)
            hit.add(j)
    return len(hit)


def on_scenes(detector: Detector, scenes: Sequence[tuple]) -> dict[str, Any]:
    """Recall, false alarms and milliseconds a scene."""
    hits = alarms = faces = 0
    start = time.perf_counter()
    for picture, boxes in scenes:
        found = detector.detect(picture)
        hit = matched(found, boxes)
        hits, alarms, faces = hits + hit, alarms + len(found) - hit, faces + len(boxes)
    seconds = time.perf_counter() - start
    return {
        "faces": faces,
        "recall": round(hits / faces, 4) if faces else None,
        "false_alarms": alarms,
        "ms": round(1000 * seconds / len(scenes), 1),
    }


def on_crops(detector: Detector) -> dict[str, Any]:
    """Found of scikit-image's 100 faces and of its 100 other pictures."""
    crops = np.round(data.lfw_subset() * 255).astype(np.uint8)[..., None].repeat(3, -1)
    start = time.perf_counter()
    found = [bool(detector.detect(crop)) for crop in crops]
    milliseconds = 1000 * (time.perf_counter() - start) / len(crops)
    return {
        "found": sum(found[:100]),
        "false_alarms": sum(found[100:]),
        "ms": round(milliseconds, 1),
    }


def main(argv: Sequence[str]) -> None:
    """Prints the line."""
    del argv
    rng = np.random.default_rng(FLAGS.seed)
    scenes = [scene(rng) for _ in range(FLAGS.scenes)]
    report: dict[str, Any] = {"scenes": FLAGS.scenes, "seed": FLAGS.seed}
    for name in DETECTORS:
        detector = Detector(name)
        detector.detect(data.astronaut())  # its weights are loaded outside the clock
        report[name] = {
            "drawn": on_scenes(detector, scenes),
            "lfw_subset": on_crops(detector),
        }
    print(json.dumps(report))


if __name__ == "__main__":
    app.run(main)

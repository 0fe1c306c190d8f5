"""The smallest pipeline that has all parts, and how tests run it."""

import dataclasses
import os
import sys

from pipelines import config as config_lib
from pipelines import local_runner

SETTINGS = {
    "width": 0.125,
    "batch_size": 8,
    "noise_size": 8,
    "embedding_size": 64,
    "gan_start_epoch": -1,
    "image_size": 32,
}
NODES = [
    "face_example_gen",
    "schema_gen",
    "statistics_gen",
    "example_validator",
    "label_gate",
    "trainer_vgg_all",
    "last_blessed",
    "serving_check",
    "fer_evaluator",
    "model_pusher",
]


def config(steps=3, minimum=0.0, **settings):
    """Sixty drawn faces and one VGGNet without a rival."""
    found = config_lib.named(
        "synthetic_faces",
        SETTINGS | {"method": "vgg_all"} | settings,
        limit={"train": 60, "test": 20},
        minimum={"expression/accuracy": minimum},
        steps=steps,
    )
    return dataclasses.replace(found, rival="")


def run(described, root, *places):
    """Runs a pipeline here; its result and its lines by node."""
    lines, argv = [], sys.argv
    sys.argv = argv[:1]  # Beam components parse it again
    try:
        result = local_runner.run(described, str(root), *places, write=lines.append)
    finally:
        sys.argv = argv
    return result, by_node(lines)


def by_node(lines):
    """Node -> (its time or 'cached', what it made)."""
    found = {}
    for line in lines:
        _, _, rest = line.partition("]")
        node, seconds, *text = rest.split()
        if text and text[0] == "s":
            text = text[1:]
        found[node] = (seconds, " ".join(text))
    return found


def cached(lines):
    """The nodes that came from the cache."""
    return [node for node, (seconds, _) in lines.items() if seconds == "cached"]


def versions(root):
    """What was pushed."""
    folder = os.path.join(root, "models", "synthetic_faces")
    return sorted(name for name in os.listdir(folder) if name.isdecimal())

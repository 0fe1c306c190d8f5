"""Values of several annotators, each fitted or all averaged: one JSON line.

python benchmarks/value_annotators.py --out_dir=DIR

Drawn faces get valence and arousal from three people: one off and prone to overdo it,
one noisy, one fair, each of --share of the faces. `kfer` learns from them with
em_values 'gaussian' and 'mean', seed by seed; scores are the CCC and the RMSE on the
truth of test faces, the mean over both dimensions and the last model's.
"""

import json
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from absl import flags

from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("out_dir", "", "Folder of the data and of the runs.")
flags.DEFINE_integer("seeds", 3, "Seeds 0, 1, ..", 1)
flags.DEFINE_integer("train", 4000, "Training faces.", 32)
flags.DEFINE_integer("test", 1000, "Test faces.", 8)
flags.DEFINE_integer("epochs", 12, "Of each run.", 1)
flags.DEFINE_float("share", 0.7, "Of the faces that each annotator sees.", 0.0, 1.0)

# (bias of valence and arousal, scale, spread) of each.
PEOPLE = (((0.25, -0.2), 1.3, 0.1), ((0.0, 0.0), 1.0, 0.45), ((0.0, 0.0), 0.9, 0.15))
TARGET = "valence_arousal"
HOW = ("gaussian", "mean")


def said(truth: Sequence[float], rng: np.random.Generator) -> dict[str, Any]:
    """What each says of a face, by label column."""
    found = {}
    for number, (bias, scale, spread) in enumerate(PEOPLE, 1):
        value = np.array(bias) + scale * np.array(truth) + spread * rng.normal(size=2)
        if rng.random() < FLAGS.share:
            found[f"{TARGET}_{number}"] = tuple(np.clip(value, -1.0, 1.0).tolist())
    return found


def make(folder: str) -> Any:
    """The faces, prepared; those of an earlier call are taken as they are."""
    from kfer.data import dataset as dataset_lib
    from kfer.data import datasets, record
    from kfer.data.datasets import synthetic_faces

    if os.path.exists(folder):
        return dataset_lib.load(folder)
    limit = {"train": FLAGS.train, "test": FLAGS.test}
    options = datasets.ReaderOptions(limit=limit)

    def items() -> Iterator[Any]:
        for index, face in enumerate(synthetic_faces.read("", options)):
            labels = {}
            if face.split == "train":
                truth = synthetic_faces.annotated(options, index).truth
                labels = said(truth, np.random.default_rng([7, index]))
            yield face.split, datasets.to_record(face._replace(labels=labels))

    names = [f"{TARGET}_{number}" for number in range(1, len(PEOPLE) + 1)]
    columns = {name: record.valence_arousal(name, TARGET) for name in names}
    clean = synthetic_faces.clean_columns(options)
    return dataset_lib.write_items(
        folder, "synthetic_faces", items(), columns, clean, image_size=32
    )


def score(data: Any, how: str, seed: int) -> dict[str, float]:
    """CCC and RMSE of a run on the test faces."""
    from kfer import methods, runs
    from kfer.data import own_data
    from kfer.training.loop import RunSettings

    settings = {"backbone": "compact_xs", "epochs": FLAGS.epochs, "image_size": 32}
    config = own_data.experiment_of(data, em_values=how, seed=seed, **settings)
    folder = os.path.join(FLAGS.out_dir, f"{how}_{seed}")
    run = RunSettings(command=common.command_line(), eval_every=10**9)
    found = runs.train(methods.resolve_tasks(config), data, folder, run)["last"]
    scores = found["test"][TARGET]
    return {name: statistics.mean(np.ravel(scores[name])) for name in ("ccc", "rmse")}


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1 or not FLAGS.out_dir:
        raise UserError("Name --out_dir; there is nothing but flags")
    common.import_tensorflow()
    data = make(os.path.join(FLAGS.out_dir, "data"))
    found = {how: [score(data, how, s) for s in range(FLAGS.seeds)] for how in HOW}
    print(json.dumps(line(found)))
    return 0


def line(found: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    """Scores by seed, and the paired gain of 'gaussian' in each."""
    row: dict[str, Any] = dict(found)
    for name in ("ccc", "rmse"):
        pairs = zip(*(found[how] for how in HOW), strict=True)
        gains = [one[name] - other[name] for one, other in pairs]
        row[f"gain_{name}"] = statistics.mean(gains)
        row[f"gains_{name}"] = gains
    return row | {"command": " ".join(sys.argv)}


if __name__ == "__main__":
    common.run(main, tensorflow=False)

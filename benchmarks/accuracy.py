"""Test accuracy that training reaches, and what it costs: one JSON line.

python benchmarks/accuracy.py --target=cifar10_noisy_fast --data_dir=DATA --out_dir=DIR

DATA is a prepared data set. For CIFAR-10: `kfer-data make --dataset=cifar10
--source_dir=RAW`. For ferplus_votes: `kfer-preprocess --dataset=ferplus
--source_dir=RAW --image_size=64 --image_format=png --official_test
--remove_near_copies`, whose training pictures are those that no test picture is a copy
of, with all their votes as soft labels, and whose test has the class of the majority.
The last model of each seed counts; no evaluation chooses anything. After a kill the
same command goes on where it stopped. --set=NAME=VALUE changes a setting, such as
backbone or epochs; the line says so.
"""

import json
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings import parsing

FLAGS = flags.FLAGS


class Target(NamedTuple):
    """What is trained, and what it has to reach."""

    experiment: str
    method: str
    settings: dict[str, Any]
    reach: float  # accuracy
    within: float  # PFLOP
    pictures: str = "JPEG or PNG copies of CIFAR-10, as the data set has them"


_FAST = {"optimization": "fast", "batch_size": 512, "learning_rate": 1.0}

TARGETS = {
    "cifar10_clean": Target(
        "cifar10_multi",
        "vgg_clean",
        {**_FAST, "backbone": "compact_s", "epochs": 12},
        0.93,
        0.20,
    ),
    "cifar10_clean_wide": Target(
        "cifar10_multi",
        "vgg_clean",
        {**_FAST, "backbone": "compact", "epochs": 10},
        0.94,
        0.40,
    ),
    "cifar10_noisy_fast": Target(
        "cifar10_multi",
        "em",
        {**_FAST, "backbone": "compact_s", "epochs": 8},
        0.879,
        0.12,
    ),
    "ferplus_votes": Target(
        "ferplus_votes",
        "vgg_all",
        {**_FAST, "backbone": "compact_s", "epochs": 12, "augmentation": "crop_flip"},
        0.865,
        0.5,
        "copies of FER+, as the data set has them",
    ),
}

flags.DEFINE_enum("target", "cifar10_noisy_fast", list(TARGETS), "What is trained.")
flags.DEFINE_string("data_dir", "", "A prepared data set.")
flags.DEFINE_string("out_dir", "", "Folder of the runs, one a seed.")
flags.DEFINE_integer("seeds", 3, "Seeds 0, 1, ..", 1)
flags.DEFINE_multi_string("set", [], "NAME=VALUE: another setting than the target's.")


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1 or not FLAGS.data_dir or not FLAGS.out_dir:
        raise UserError("Name --data_dir and --out_dir; there is nothing but flags")
    common.import_tensorflow()
    from kfer import methods, runs
    from kfer.data import dataset as dataset_lib
    from kfer.training.loop import RunSettings

    target = TARGETS[FLAGS.target]
    changed = parsing.parse_settings(FLAGS.set)
    data = dataset_lib.load(FLAGS.data_dir)
    found = []
    for seed in range(FLAGS.seeds):
        config = config_lib.experiment_config(
            target.experiment,
            method=target.method,
            seed=seed,
            **target.settings | changed,
        )
        folder = os.path.join(FLAGS.out_dir, f"{FLAGS.target}_{seed}")
        settings = RunSettings(command=common.command_line())
        found.append(
            runs.train(methods.resolve_tasks(config), data, folder, settings)["last"]
        )
    known = {k: v for k, v in data.split("test").given.items() if k.startswith("clean")}
    print(json.dumps(line(target, found) | {"changed": changed, "test": known}))
    return 0


def line(target: Target, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the benchmark prints of the seeds' last evaluations."""
    accuracies = [
        scores["accuracy"] for row in found for scores in row["test"].values()
    ]
    spread = statistics.stdev(accuracies) if len(found) > 1 else None
    return {
        "target": FLAGS.target,
        "accuracy": statistics.mean(accuracies),
        "standard_deviation": spread,
        "by_seed": accuracies,
        "reach": target.reach,
        "pflop": statistics.mean(row["pflop"] for row in found),
        "within_pflop": target.within,
        "seconds": statistics.mean(row["seconds"] for row in found),
        "pictures": target.pictures,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "command": " ".join(sys.argv),
    }


if __name__ == "__main__":
    common.run(main, tensorflow=False)

"""Test accuracy that training reaches, and what it costs: one JSON line.

python benchmarks/accuracy.py --target=cifar10_noisy_fast --data_dir=DATA --out_dir=DIR

DATA is a prepared data set. For CIFAR-10: `kfer-data make --dataset=cifar10
--source_dir=RAW`. For ferplus_votes: `kfer-preprocess --dataset=ferplus
--source_dir=RAW --image_size=48 --image_format=png --official_test
--remove_near_copies`, whose training pictures are those that no test picture is a copy
of, with all their votes as soft labels, and whose test has the class of the majority.
The last model of each seed counts; no evaluation chooses anything. After a kill the
same command goes on where it stopped. --set=NAME=VALUE changes a setting, such as
backbone or epochs, and --mixed_precision what layers multiply in; the line says so.
DIR/TARGET.png, with the precision in its name if it is another than float32, has the
test accuracy of all seeds over seconds and over PFLOP.

--torch_python names a Python that has torch. The 2021 code's step is then timed with it
on this CPU before the training (benchmarks/xla/torch_step.py), and the line says how
many times the seconds of the target 100 epochs of that take.
"""

import json
import os
import platform
import statistics
import subprocess
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


# Of the 2021 code on CIFAR-10.
EPOCHS_2021, PICTURES_2021 = 100, 50_000
_STEP_2021 = ["--batch=128", "--steps=3", "--device=cpu"]

_FAST = {"optimization": "fast", "batch_size": 512, "learning_rate": 1.0}
# Batch and smoothing were chosen by the valid split; 48 px are the stored faces' own.
_VOTES = {
    **_FAST,
    **{"backbone": "compact_s", "image_size": 48, "augmentation": "crop_flip"},
    **{"batch_size": 256, "learning_rate": 0.5, "epochs": 14},
}

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
        {**_FAST, "backbone": "compact_xs", "epochs": 8},
        0.879,
        0.12,
    ),
    "ferplus_votes": Target(
        "ferplus_votes",
        "vgg_all",
        _VOTES,
        0.865,
        0.5,
    ),
}

flags.DEFINE_enum("target", "cifar10_noisy_fast", list(TARGETS), "What is trained.")
flags.DEFINE_string("data_dir", "", "A prepared data set.")
flags.DEFINE_string("out_dir", "", "Folder of the runs, one a seed.")
flags.DEFINE_integer("seeds", 3, "Seeds 0, 1, ..", 1)
flags.DEFINE_multi_string("set", [], "NAME=VALUE: another setting than the target's.")
flags.DEFINE_enum(
    "mixed_precision", "float32", config_lib.PRECISIONS, "What layers multiply in."
)
flags.DEFINE_integer(
    "eval_every", 0, "Steps between the curve's points; 0 is an epoch.", 0
)
flags.DEFINE_string("torch_python", "", "A Python with torch, to time the 2021 step.")


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1 or not FLAGS.data_dir or not FLAGS.out_dir:
        raise UserError("Name --data_dir and --out_dir; there is nothing but flags")
    common.import_tensorflow()
    from kfer.data import dataset as dataset_lib

    target = TARGETS[FLAGS.target]
    if FLAGS.torch_python and not target.experiment.startswith("cifar10"):
        raise UserError("--torch_python times the 2021 step of CIFAR-10 alone")
    speed = images_per_second_2021(FLAGS.torch_python) if FLAGS.torch_python else 0.0
    changed = parsing.parse_settings(FLAGS.set)
    data = dataset_lib.load(FLAGS.data_dir)
    found = train(target, changed, data)
    known = {k: v for k, v in data.split("test").given.items() if k.startswith("clean")}
    row = line(target, found) | {
        "changed": changed,
        "mixed_precision": FLAGS.mixed_precision,
        "curve": place(".png"),
        "test": known,
        # Which pictures: JPEG copies and official pixels differ by points.
        "data": {"name": data.name, "content_hash": data.content_hash},
    }
    if speed:
        row |= against_2021(speed, row["seconds"])
    print(json.dumps(row))
    return 0


def train(target: Target, changed: dict[str, Any], data: Any) -> list[dict[str, Any]]:
    """Trains the seeds and draws their curve; the last evaluation of each."""
    import curve

    from kfer import methods, runs
    from kfer.training import run_folder
    from kfer.training.loop import RunSettings

    found, by_seed = [], {}
    for seed in range(FLAGS.seeds):
        config = config_lib.experiment_config(
            target.experiment,
            method=target.method,
            seed=seed,
            **target.settings | changed,
        )
        folder = place(f"_{seed}")
        settings = RunSettings(
            eval_every=FLAGS.eval_every,
            command=common.command_line(),
            mixed_precision=FLAGS.mixed_precision,
        )
        found.append(
            runs.train(methods.resolve_tasks(config), data, folder, settings)["last"]
        )
        by_seed[f"seed {seed}"] = curve.points(run_folder.read_history(folder))
        # After each seed: what a kill leaves can be looked at.
        goal = curve.Goal(target.reach, target.within)
        curve.write(place(".png"), FLAGS.target, by_seed, goal)
    return found


def place(end: str) -> str:
    """A path in --out_dir; runs of another precision are other runs."""
    precision = FLAGS.mixed_precision
    other = "" if precision == "float32" else f"_{precision}"
    return os.path.join(FLAGS.out_dir, f"{FLAGS.target}{other}{end}")


def images_per_second_2021(python: str) -> float:
    """Of the 2021 step on this CPU, by a Python that has torch.

    Raises:
      UserError: it has none, or the step fails.
    """
    script = os.path.join(os.path.dirname(__file__), "xla", "torch_step.py")
    try:
        done = subprocess.run(
            [python, script, *_STEP_2021], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise UserError(
            f"{python} can't time the 2021 step: {said.strip().splitlines()[-1]}"
        ) from error
    return json.loads(done.stdout)["images_per_second"]


def against_2021(images_per_second: float, seconds: float) -> dict[str, float]:
    """What 100 epochs of the 2021 step take, and that over `seconds`."""
    took = EPOCHS_2021 * PICTURES_2021 / images_per_second
    return {
        "images_per_second_2021": images_per_second,
        "seconds_2021": took,
        "times_faster": took / seconds,
    }


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
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "command": " ".join(sys.argv),
    }


if __name__ == "__main__":
    common.run(main, tensorflow=False)

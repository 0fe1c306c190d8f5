"""How the step's cost grows with batch, image size, label sets and replicas.

python benchmarks/scaling.py --vary=batch,image_size,label_sets,replicas
python benchmarks/scaling.py --plot

The first command times narrow nets (--width) and adds its points to --results, a JSON
line each; the second draws all points to docs/images/scaling.png and prints the table.
"""

import dataclasses
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import train_step
from absl import flags

from kfer import tasks
from kfer.bin import common
from kfer.models import flops
from kfer.settings import config as config_lib

FLAGS = flags.FLAGS
HERE = os.path.dirname(os.path.abspath(__file__))

flags.DEFINE_list("vary", [], "What to vary: keys of VALUES.")
flags.DEFINE_string("results", os.path.join(HERE, "scaling.jsonl"), "Points so far.")
flags.DEFINE_bool("plot", False, "Draw what was timed.")
flags.FLAGS.set_default("width", 0.25)
flags.FLAGS.set_default("steps", 3)

VALUES = {
    "batch": (16, 32, 64, 128, 256),
    "image_size": (32, 64, 96, 128),
    "label_sets": (1, 2, 3, 5, 10),
    "replicas": (1, 2, 4),
}


def base(**fields: Any) -> config_lib.ExperimentConfig:
    return config_lib.experiment_config(
        "cifar10_multi", width=FLAGS.width, batch_size=64, **fields
    )


def with_sets(count: int) -> config_lib.ExperimentConfig:
    return base(tasks=tasks.annotator_tasks(count, tasks.CIFAR10_CLASSES, "class"))


def speeds(config: Any, batches: Sequence[int]) -> Iterator[float]:
    """Images/s at each batch size; one model, traced once."""
    import tensorflow as tf

    from kfer.training import compiling

    method = compiling.compiled(config)

    @tf.function(autograph=False, reduce_retracing=True)
    def step(batch: Any) -> Any:
        return method.train_step(batch)["loss"]

    for size in batches:
        one = train_step.random_batch(dataclasses.replace(config, batch_size=size))
        train_step.timed(lambda one=one: step(one), 2)
        seconds = train_step.timed(lambda one=one: step(one), FLAGS.steps)
        yield size / train_step.median(seconds)


def with_replicas(count: int) -> float:
    """Images/s in a process of its own.

    Each strategy numbers the groups of devices that sum from the start again, and the
    process remembers a number's size: one with more replicas finds its number taken.
    """
    command = [sys.executable, os.path.join(HERE, "train_step.py")]
    command += [f"--replicas={count}", f"--batch={base().batch_size}"]
    command += [f"--width={FLAGS.width}", f"--steps={FLAGS.steps}"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])["images_per_second"]


def points(name: str) -> Iterator[tuple[int, float, float]]:
    """(value, images/s, GFLOP an image) of what is varied."""
    values = VALUES[name]
    if name == "batch":
        found = speeds(base(), values)
        counts = (dataclasses.replace(base(), batch_size=value) for value in values)
        for value, speed, config in zip(values, found, counts, strict=True):
            yield value, speed, flops.gflop_per_image(config)
        return
    for value in values:
        config = base()
        if name == "image_size":
            config = base(image_size=value)
        elif name == "label_sets":
            config = with_sets(value)
        if name == "replicas":
            speed = with_replicas(value)
        else:
            (speed,) = speeds(config, [config.batch_size])
        yield value, speed, flops.gflop_per_image(config)


def measure(names: Sequence[str]) -> None:
    """Times and adds a line for each point."""
    from kfer.training import execution

    execution.configure()
    for name in names:
        for value, speed, count in points(name):
            row = {
                "varied": name,
                "value": value,
                "images_per_second": round(speed, 2),
                "gflop_per_image": round(count, 4),
                "width": FLAGS.width,
                "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                "command": common.command_line(),
            }
            print(json.dumps(row), flush=True)
            with open(FLAGS.results, "a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def plot() -> None:
    """The figure, and the table as Markdown."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with open(FLAGS.results, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    names = [name for name in VALUES if any(row["varied"] == name for row in rows)]
    figure, axes = pyplot.subplots(1, len(names), figsize=(3 * len(names), 2.8))
    for name, axis in zip(names, axes, strict=True):
        own = sorted((r for r in rows if r["varied"] == name), key=lambda r: r["value"])
        for row in own:
            cells = row["value"], row["images_per_second"], row["gflop_per_image"]
            print(f"| {name} | {' | '.join(map(str, cells))} |")
        x = [row["value"] for row in own]
        axis.plot(x, [row["images_per_second"] for row in own], "o-")
        axis.set_xscale("log", base=2)
        axis.set_xticks(x, [str(value) for value in x])
        axis.set_ylim(bottom=0)
        axis.set_xlabel(name.replace("_", " "))
    axes[0].set_ylabel("images/s")
    figure.tight_layout()
    path = os.path.join(HERE, "..", "docs", "images", "scaling.png")
    figure.savefig(path, dpi=110)


def main(argv: Sequence[str]) -> int:
    del argv
    if FLAGS.vary:
        common.import_tensorflow()
        measure(FLAGS.vary)
    if FLAGS.plot:
        plot()
    return 0


if __name__ == "__main__":
    common.run(main, tensorflow=False)

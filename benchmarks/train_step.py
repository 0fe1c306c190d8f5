"""Times the training step: one JSON line.

python benchmarks/train_step.py --experiment=cifar10_multi --batch=128 --steps=5
"""

import json
import os
import platform
import resource
import time
from collections.abc import Sequence

START = time.perf_counter()

from absl import flags  # noqa: E402

from kfer import config as config_lib  # noqa: E402
from kfer.bin import common  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_string("experiment", "cifar10_multi", "A key of EXPERIMENTS.")
flags.DEFINE_string("method", "joint", "A key of METHODS.")
flags.DEFINE_string("recipe", "kfer", "A key of RECIPES.")
flags.DEFINE_integer("batch", 128, "Global batch.", 1)
flags.DEFINE_integer("steps", 5, "Steps to time after the first.", 1)
flags.DEFINE_float("width", 1.0, "Factor of all channel counts.")


def random_batch(config):
    """A batch of noise: the arithmetic is the same."""
    import tensorflow as tf

    from kfer.structures import Batch, Noise

    count, size = config.batch_size, config.image_size
    units = 2 * config.channels(config.embedding_size)
    labels = {
        task.name: tf.random.uniform([count], maxval=task.size, dtype=tf.int32)
        if task.is_categorical
        else tf.random.uniform([count, task.size], task.low, task.high)
        for task in config.tasks
    }
    return Batch(
        tf.random.uniform([count, size, size, 3], -1, 1),
        labels,
        {name: tf.ones([count]) for name in labels},
        Noise(
            tf.random.normal([count, config.noise_size]),
            tf.random.normal([count, config.noise_size]),
            tf.random.uniform([count, units]),
        ),
        tf.range(count, dtype=tf.int64),
    )


def main(argv: Sequence[str]) -> int:
    import tensorflow as tf

    from kfer import methods, training

    config = methods.resolve_tasks(
        config_lib.experiment_config(
            FLAGS.experiment,
            FLAGS.recipe,
            FLAGS.method,
            width=FLAGS.width,
            batch_size=FLAGS.batch,
        )
    )
    strategy = training.make_strategy("mirrored")
    with strategy.scope():
        method = training.compiled(config)
    batch = random_batch(config)

    @tf.function(autograph=False)
    def step(batch):
        return strategy.run(method.train_step, (batch,))

    seconds = []
    for index in range(FLAGS.steps + 1):
        begin = time.perf_counter()
        float(step(batch)["loss"])
        seconds.append(time.perf_counter() - begin)
        if index == 0:
            first = time.perf_counter() - START
    steady = sorted(seconds[1:])[len(seconds[1:]) // 2]
    print(
        json.dumps(
            {
                "images_per_second": round(config.batch_size / steady, 2),
                "seconds_per_step": round(steady, 3),
                "first_step_seconds": round(first, 1),
                "peak_memory_gb": round(
                    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2
                ),
                "experiment": config.name,
                "method": config.method,
                "recipe": config.recipe.name,
                "batch": config.batch_size,
                "width": config.width,
                "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                "command": common.command_line(),
            }
        )
    )
    return 0


if __name__ == "__main__":
    common.run(main)

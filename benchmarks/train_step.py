"""Times the training step: one JSON line.

python benchmarks/train_step.py --experiment=cifar10_multi --batch=128 --steps=5
python benchmarks/train_step.py --method=vgg_all --backbone=compact_s \
  --optimization=fast --batch=512
"""

import json
import os
import platform
import resource
import time
from collections.abc import Sequence
from typing import Any

START = time.perf_counter()

from absl import flags  # noqa: E402

from kfer.bin import common  # noqa: E402
from kfer.models import flops  # noqa: E402
from kfer.settings import config as config_lib  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_string("experiment", "cifar10_multi", "A key of EXPERIMENTS.")
flags.DEFINE_string("method", "joint", "A key of METHODS.")
flags.DEFINE_string("recipe", "kfer", "A key of RECIPES.")
flags.DEFINE_string("backbone", "vgg16", "The encoder's trunk.")
flags.DEFINE_string("optimization", "plain", "How it learns: plain or fast.")
flags.DEFINE_integer("batch", 128, "Global batch.", 1)
flags.DEFINE_integer("steps", 5, "Steps to time after the first.", 1)
flags.DEFINE_float("width", 1.0, "Factor of all channel counts.")
flags.DEFINE_integer("image_size", None, "Side in pixels instead of the experiment's.")
flags.DEFINE_integer("label_sets", None, "CIFAR-10 label sets instead of three.", 1)
flags.DEFINE_integer("replicas", 1, "Logical devices that share the batch.", 1)
flags.DEFINE_string("mixed_precision", "float32", "Or bfloat16, float16.")
flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.")
flags.DEFINE_integer("steps_per_execution", 1, "Steps between returns to Python.", 1)


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


def experiment() -> config_lib.ExperimentConfig:
    """The config that the flags ask for."""
    from kfer import methods, tasks
    from kfer.training import compiling

    fields: dict[str, Any] = {
        "width": FLAGS.width,
        "batch_size": FLAGS.batch,
        "backbone": FLAGS.backbone,
        "optimization": FLAGS.optimization,
    }
    if FLAGS.image_size:
        fields["image_size"] = FLAGS.image_size
    if FLAGS.label_sets:
        fields["tasks"] = tasks.annotator_tasks(
            FLAGS.label_sets, tasks.CIFAR10_CLASSES, "class"
        )
    config = config_lib.experiment_config(
        FLAGS.experiment, FLAGS.recipe, FLAGS.method, **fields
    )
    # A schedule has to know its end; which one takes no time.
    return compiling.timed(methods.resolve_tasks(config), 1000)


def strategy_of(replicas: int) -> Any:
    """MirroredStrategy on that many logical CPU devices."""
    import tensorflow as tf

    if replicas > 1:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * replicas,
        )
    return tf.distribute.MirroredStrategy([f"/cpu:{i}" for i in range(replicas)])


def matmul_rate() -> float:
    """GFLOP/s of float32 matrix products of 2048 x 2048, the median of 9."""
    import tensorflow as tf

    side = 2048
    matrix = tf.random.uniform([side, side])
    product = tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)))
    seconds = timed(product, 10)[1:]
    return 2e-9 * side**3 / median(seconds)


def timed(function, count: int) -> list[float]:
    """Seconds of each of `count` calls, whose result is waited for."""
    seconds = []
    for _ in range(count):
        begin = time.perf_counter()
        float(function())
        seconds.append(time.perf_counter() - begin)
    return seconds


def median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def measure(config: config_lib.ExperimentConfig) -> dict[str, float]:
    """Speed, time to the end of the first step and memory of the whole process."""
    import tensorflow as tf

    from kfer.training import compiling, execution

    execution.configure()
    strategy = strategy_of(FLAGS.replicas)
    with strategy.scope():
        method = compiling.compiled(config, FLAGS.mixed_precision)
    batch = random_batch(config)
    if FLAGS.replicas > 1:
        whole = tf.data.Dataset.from_tensors(batch).unbatch().batch(config.batch_size)
        batch = next(iter(strategy.experimental_distribute_dataset(whole)))

    def once(*_: Any) -> Any:
        logs = strategy.run(method.train_step, (batch,))
        return strategy.experimental_local_results(logs["loss"])[0]

    together = FLAGS.steps_per_execution

    @tf.function(autograph=False, jit_compile=FLAGS.jit_compile)
    def step():
        if together == 1:
            return once()
        start = tf.constant(0), tf.constant(0.0)
        return tf.while_loop(
            lambda i, _: i < together, lambda i, _: (i + 1, once()), start
        )[1]

    timed(step, 1)
    first = time.perf_counter() - START
    steady = median(timed(step, FLAGS.steps)) / together
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "images_per_second": round(config.batch_size / steady, 2),
        "seconds_per_step": round(steady, 3),
        "first_step_seconds": round(first, 1),
        "peak_memory_gb": round(peak / 1e6, 2),
    }


def work(config: config_lib.ExperimentConfig, speed: float) -> dict[str, float]:
    """The count of products, and how near the step comes to matrix products alone."""
    count = flops.training_flops(config, config.batch_size) / config.batch_size / 1e9
    rate = matmul_rate()
    return {
        "gflop_per_image": round(count, 3),
        "matmul_gflop_per_second": round(rate, 1),
        "fraction_of_matmul_rate": round(speed * count / rate, 3),
    }


def main(argv: Sequence[str]) -> int:
    del argv
    config = experiment()
    common.import_tensorflow()
    speed = measure(config)
    result = {
        **speed,
        **work(config, speed["images_per_second"]),
        "experiment": config.name,
        "method": config.method,
        "backbone": config.backbone,
        "optimization": FLAGS.optimization,
        "recipe": config.recipe.name,
        "batch": config.batch_size,
        "image_size": config.image_size,
        "label_sets": len(config.tasks),
        "width": config.width,
        "replicas": FLAGS.replicas,
        "mixed_precision": FLAGS.mixed_precision,
        "jit_compile": FLAGS.jit_compile,
        "steps_per_execution": FLAGS.steps_per_execution,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "command": common.command_line(),
    }
    print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    common.run(main, tensorflow=False)

"""Bytes that a training step sums over replicas, as one JSON line.

python benchmarks/allreduce.py --experiment=cifar10_multi --replicas=8

Counted from the variables (kfer.training.strategies.allreduce_bytes);
'sent_by_each' is what a replica sends, and receives, where the sums go round a ring.
"""

import json
from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.settings import config as config_lib

FLAGS = flags.FLAGS

flags.DEFINE_string("experiment", "cifar10_multi", "A key of EXPERIMENTS.")
flags.DEFINE_string("method", "joint", "A key of METHODS.")
flags.DEFINE_string("recipe", "kfer", "A key of RECIPES.")
flags.DEFINE_float("width", 1.0, "Factor of all channel counts.")
flags.DEFINE_integer("replicas", 8, "In the ring.", 1)


def main(argv: Sequence[str]) -> int:
    del argv
    from kfer import methods
    from kfer.training import compiling, strategies

    config = methods.resolve_tasks(
        config_lib.experiment_config(
            FLAGS.experiment, FLAGS.recipe, FLAGS.method, width=FLAGS.width
        )
    )
    found = strategies.allreduce_bytes(compiling.compiled(config), config)
    count = FLAGS.replicas
    found["sent_by_each"] = 2 * (count - 1) * found["total"] // count
    run = {
        "experiment": config.name,
        "method": config.method,
        "recipe": config.recipe.name,
        "width": config.width,
        "replicas": count,
    }
    print(json.dumps(run | found))
    return 0


if __name__ == "__main__":
    common.run(main)

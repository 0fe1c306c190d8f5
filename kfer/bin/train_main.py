"""Trains one row of the tables, or goes on training it.

kfer-train --experiment=NAME --data_dir=DIR --out_dir=DIR [--method=NAME] [...]

DIR of --data_dir is a prepared data set (kfer-data make), or the raw folder of the
experiment's data set, which is then prepared under --out_dir. After a kill the same
command goes on where it stopped.
"""

import os
from collections.abc import Sequence
from typing import Any

from absl import flags, logging

from kfer import methods
from kfer.bin import common
from kfer.data import folder
from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings.parsing import parse_settings
from kfer.training import run_folder

FLAGS = flags.FLAGS

flags.DEFINE_string("experiment", "", f"One of {', '.join(config_lib.EXPERIMENTS)}.")
flags.DEFINE_string("method", "joint", f"One of {', '.join(methods.METHODS)}.")
flags.DEFINE_string("recipe", "kfer", f"One of {', '.join(config_lib.RECIPES)}.")
flags.DEFINE_string(
    "data_dir", "", "Prepared data set or raw folder; empty for data that is drawn."
)
flags.DEFINE_string("out_dir", "", "The run's folder.")
flags.DEFINE_integer("steps", 0, "Training steps in all; 0 means --epochs.", 0)
flags.DEFINE_integer("epochs", None, "Passes over the data.", 1)
flags.DEFINE_integer("eval_every", 0, "Steps between evaluations; 0 is an epoch.", 0)
flags.DEFINE_integer("batch_size", None, "Global batch.", 1)
flags.DEFINE_integer("image_size", None, f"One of {config_lib.IMAGE_SIZES}.")
flags.DEFINE_float("width", None, "Factor of all channel counts; 1 is the paper's.")
flags.DEFINE_float("learning_rate", None, "Of both Adam optimizers.")
flags.DEFINE_float("lambda_gan", None, "Weight of the adversarial terms.")
flags.DEFINE_integer("seed", None, "Of weights, order, augmentation and noise.")
flags.DEFINE_multi_string(
    "set",
    [],
    "One more setting of config, recipe or method, such as flip=inclusive; may be "
    "given many times.",
)
flags.DEFINE_string(
    "strategy",
    "mirrored",
    "mirrored (all devices), default (one), multi_worker (hosts of TF_CONFIG) or tpu.",
)
flags.DEFINE_enum(
    "mixed_precision", "float32", config_lib.PRECISIONS, "What layers multiply in."
)
flags.DEFINE_bool("jit_compile", False, "Compile the step with XLA.")
flags.DEFINE_integer(
    "steps_per_execution", 1, "Training steps between returns to Python.", 1
)
flags.DEFINE_bool("deterministic", False, "Same result bit for bit on this machine.")
flags.DEFINE_bool("evaluate", True, "Score the clean test split along the way.")
flags.DEFINE_bool("export", True, "Write a SavedModel and a report at the end.")
flags.DEFINE_string(
    "encoder_weights", "", "Start the encoder from 'imagenet' or an .npz/.pth file."
)

_FIELDS = (
    "epochs",
    "batch_size",
    "image_size",
    "width",
    "learning_rate",
    "lambda_gan",
    "seed",
)


def config_from_flags() -> config_lib.ExperimentConfig:
    """The config that the flags ask for."""
    if not FLAGS.experiment:
        raise UserError(
            f"Name an --experiment: {', '.join(sorted(config_lib.EXPERIMENTS))}"
        )
    fields = {name: getattr(FLAGS, name) for name in _FIELDS}
    fields = {name: value for name, value in fields.items() if value is not None}
    config = config_lib.experiment_config(
        FLAGS.experiment,
        FLAGS.recipe,
        FLAGS.method,
        **fields,
        **parse_settings(FLAGS.set),
    )
    return methods.resolve_tasks(config)


def check_prepared(data_dir: str) -> None:
    """Raises UserError if workers would each prepare the data."""
    if not os.path.isfile(os.path.join(data_dir, folder.MANIFEST)):
        raise UserError(
            "Several workers read one prepared data set, and --data_dir="
            f"{data_dir!r} is none; make it with kfer-data make where all reach it"
        )


def main(argv: Sequence[str]) -> Any:
    if len(argv) > 1:
        raise UserError(f"kfer-train takes flags only, got {' '.join(argv[1:])!r}")
    if not FLAGS.out_dir:
        raise UserError("Name an --out_dir for the run")
    config = config_from_flags()
    common.import_tensorflow()
    from kfer import runs as runs_lib
    from kfer.data import datasets
    from kfer.training import loop, strategies

    is_chief = strategies.is_chief(FLAGS.strategy)
    if FLAGS.strategy == strategies.MULTI_WORKER:
        check_prepared(FLAGS.data_dir)
    dataset = datasets.prepare(
        FLAGS.data_dir,
        config.dataset,
        os.path.join(FLAGS.out_dir, "data"),
        datasets.ReaderOptions(
            seed=config.seed,
            flip_rates=config.flip_rates,
            flip=config.recipe.flip,
            image_size=config.image_size,
        ),
        common.command_line(),
    )
    settings = loop.RunSettings(
        steps=FLAGS.steps,
        eval_every=FLAGS.eval_every,
        strategy=FLAGS.strategy,
        deterministic=FLAGS.deterministic,
        evaluate=FLAGS.evaluate,
        encoder_weights=FLAGS.encoder_weights,
        command=common.command_line(),
        mixed_precision=FLAGS.mixed_precision,
        jit_compile=FLAGS.jit_compile,
        steps_per_execution=FLAGS.steps_per_execution,
    )
    metrics = runs_lib.train(config, dataset, FLAGS.out_dir, settings)
    if metrics["interrupted"]:
        logging.info("Stopped by a signal; the same command goes on")
        return 143
    if not is_chief:
        return 0
    print(loop.summary(FLAGS.out_dir))
    if FLAGS.export:
        print(f"Report: {runs_lib.publish(FLAGS.out_dir)}")
        print(f"SavedModel: {os.path.join(FLAGS.out_dir, run_folder.MODEL)}")
    return 0


def entry() -> None:
    """The console command kfer-train."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

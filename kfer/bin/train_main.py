"""Trains a model on annotated pictures, or goes on training it.

kfer-train --data_dir=DIR --out_dir=DIR [--tasks=NAMES] [--method=NAME] [...]
kfer-train --experiment=NAME --data_dir=DIR --out_dir=DIR [...]

DIR of --data_dir is a prepared data set; what is learned follows from the labels that
it declares. An experiment is a row of the paper's tables: it may also take the raw
folder of its own data set, which is then prepared under --out_dir. After a kill the
same command goes on where it stopped.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from absl import flags, logging

from kfer import methods
from kfer.bin import common, remote
from kfer.data import folder
from kfer.errors import UserError
from kfer.settings import axes, own_data
from kfer.settings import config as config_lib
from kfer.settings.optimization import CHOICES, PRESETS
from kfer.settings.parsing import parse_settings
from kfer.settings.recipes import RECIPES
from kfer.training import run_folder

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "experiment",
    "",
    f"A preset, one of {', '.join(config_lib.EXPERIMENTS)}; none is needed.",
)
flags.DEFINE_list(
    "tasks", [], "Label columns to learn, or their truths; empty: all there are."
)
flags.DEFINE_float(
    "holdout",
    None,
    "Share of the training pictures to keep back and score on, such as 0.1.",
)
flags.DEFINE_string(
    "method",
    "",
    f"One of {', '.join(methods.METHODS)}; {own_data.METHOD} if not given, and of an "
    "experiment the proposed method, joint.",
)
for _axis, _values in axes.AXES.items():
    flags.DEFINE_enum(
        _axis,
        None,
        _values,
        f"Instead of --method, with the two others like it; {_values[0]} if not given.",
    )
flags.DEFINE_string("recipe", "kfer", f"One of {', '.join(RECIPES)}.")
flags.DEFINE_string(
    "data_dir", "", "Prepared data set or raw folder; empty for data that is drawn."
)
flags.DEFINE_string("out_dir", "", "The run's folder.")
flags.DEFINE_integer("steps", 0, "Training steps in all; 0 means --epochs.", 0)
flags.DEFINE_integer("epochs", None, "Passes over the data.", 1)
flags.DEFINE_integer("eval_every", 0, "Steps between evaluations; 0 is an epoch.", 0)
flags.DEFINE_integer("batch_size", None, "Global batch.", 1)
flags.DEFINE_integer("image_size", None, f"One of {config_lib.IMAGE_SIZES}.")
flags.DEFINE_string(
    "backbone",
    None,
    "The encoder's trunk: vgg16, compact, compact_s, compact_xs, or a network of "
    "keras.applications such as mobilenet_v3_small.",
)
flags.DEFINE_float("width", None, "Factor of all channel counts; 1 is the paper's.")
flags.DEFINE_float("learning_rate", None, "Of every optimizer.")
flags.DEFINE_string(
    "optimization",
    None,
    f"A bundle of optimizer, schedule and augmentation: {', '.join(PRESETS)}.",
)
_CHOSEN = {
    "optimizer": "Of the label losses: {}.",
    "schedule": "Of its learning rate: {}.",
    "averaging": "Whether a mean of the weights answers: {}.",
    "test_averaging": "What answers are the mean of: {}.",
}
for _name, _about in _CHOSEN.items():
    _known = ", ".join(CHOICES[_name])
    flags.DEFINE_string(_name, None, _about.format(_known))
flags.DEFINE_float("weight_decay", None, "Pulls the networks' weights towards 0.")
flags.DEFINE_float("label_smoothing", None, "Share of a label that all classes get.")
flags.DEFINE_float("mixup", None, "alpha of the share by which pictures are mixed.")
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

STORES = {
    # An experiment may take a raw folder.
    "data_dir": lambda: remote.READ if FLAGS.experiment else remote.READ_DATA,
    # Workers share one folder.
    "out_dir": lambda: None if FLAGS.strategy == "multi_worker" else remote.GO_ON_RUN,
    "encoder_weights": remote.READ,
}

_FIELDS = (
    "epochs",
    "batch_size",
    "image_size",
    "backbone",
    "width",
    "learning_rate",
    "lambda_gan",
    "seed",
    "optimization",
    *_CHOSEN,
    "weight_decay",
    "label_smoothing",
    "mixup",
)


def settings_from_flags() -> dict[str, Any]:
    """Setting -> value, of the flags and of --set."""
    fields = {name: getattr(FLAGS, name) for name in _FIELDS}
    fields = {name: value for name, value in fields.items() if value is not None}
    more = parse_settings(FLAGS.set)
    if twice := sorted(more.keys() & {*fields, "recipe", "method"}):
        raise UserError(f"{twice[0]} has a flag of its own; leave --set={twice[0]} out")
    return {"recipe": FLAGS.recipe, "method": method_from_flags(), **fields, **more}


def method_from_flags() -> str:
    """The method, or the default for what is learned."""
    given = {axis: getattr(FLAGS, axis) for axis in axes.AXES}
    given = {axis: value for axis, value in given.items() if value}
    if given and FLAGS.method:
        raise UserError(
            f"--method={FLAGS.method} and --{next(iter(given))} both choose the "
            "method; give one of them"
        )
    if given:
        return axes.name_of(**given)
    return FLAGS.method or own_data.method_for(FLAGS.experiment)


def preset_from_flags() -> config_lib.ExperimentConfig:
    """The config of the named experiment; UserError if a flag makes no sense."""
    config = config_lib.experiment_config(FLAGS.experiment, **settings_from_flags())
    return methods.resolve_tasks(narrowed(config))


def narrowed(config: config_lib.ExperimentConfig) -> config_lib.ExperimentConfig:
    """The config with those of its tasks that --tasks names; all if it is empty."""
    wanted = FLAGS.tasks
    known = {name for task in config.tasks for name in (task.name, task.target)}
    if unknown := [name for name in wanted if name not in known]:
        listed = ", ".join(sorted(known))
        raise UserError(f"{config.name} has no task {unknown[0]!r}; it has {listed}")
    kept = [t for t in config.tasks if not wanted or {t.name, t.target} & {*wanted}]
    return dataclasses.replace(config, tasks=tuple(kept))


def declared_by(dataset: Any) -> config_lib.ExperimentConfig:
    """The config that follows from what a data set declares."""
    from kfer.data import own_data

    settings = settings_from_flags()
    config = own_data.experiment_of(dataset, FLAGS.tasks, **settings)
    for task in config.tasks:
        logging.info("learns %s", own_data.describe(task))
    return methods.resolve_tasks(config)


def dataset_from_flags(config: config_lib.ExperimentConfig | None) -> Any:
    """The prepared data set, made on the first call."""
    from kfer.data import dataset as dataset_lib
    from kfer.data import datasets, holdout

    prepared = os.path.join(FLAGS.out_dir, "data")
    if config:
        options = datasets.ReaderOptions(
            seed=config.seed,
            flip_rates=config.flip_rates,
            flip=config.recipe.flip,
            image_size=config.image_size,
        )
        dataset = datasets.prepare(
            FLAGS.data_dir, config.dataset, prepared, options, common.command_line()
        )
    else:
        dataset = dataset_lib.load(FLAGS.data_dir)
    if FLAGS.holdout is None:
        return dataset
    kept = os.path.join(FLAGS.out_dir, "data", "holdout")
    return holdout.make(dataset, FLAGS.holdout, kept, common.command_line())


def check_prepared(data_dir: str) -> None:
    """Raises UserError if workers would each prepare the data."""
    if not os.path.isfile(os.path.join(data_dir, folder.MANIFEST)):
        raise UserError(
            "Several workers read one prepared data set, and --data_dir="
            f"{data_dir!r} is none; make it with kfer-data make where all reach it"
        )


def _checked_flags() -> config_lib.ExperimentConfig | None:
    """The named experiment's config; wrong use is told before TensorFlow is loaded."""
    if FLAGS.holdout is not None and FLAGS.strategy == "multi_worker":
        raise UserError("Workers share one data set; keep a split back when making it")
    if FLAGS.experiment:
        return preset_from_flags()
    if not FLAGS.data_dir:
        raise UserError(
            "Name a --data_dir, a prepared data set, or an --experiment: "
            f"{', '.join(sorted(config_lib.EXPERIMENTS))}"
        )
    settings_from_flags()
    methods.method_row(method_from_flags())
    return None


def main(argv: Sequence[str]) -> Any:
    if len(argv) > 1:
        raise UserError(f"kfer-train takes flags only, got {' '.join(argv[1:])!r}")
    if not FLAGS.out_dir:
        raise UserError("Name an --out_dir for the run")
    if FLAGS.steps and FLAGS["epochs"].present:
        raise UserError("--steps and --epochs both say how long to train; give one")
    config = _checked_flags()
    common.import_tensorflow()
    from kfer import runs as runs_lib
    from kfer.training import loop, outcome, strategies

    is_chief = strategies.is_chief(FLAGS.strategy)
    if FLAGS.strategy == strategies.MULTI_WORKER:
        check_prepared(FLAGS.data_dir)
    dataset = dataset_from_flags(config)
    config = config or declared_by(dataset)
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
    print(outcome.summary(FLAGS.out_dir))
    if FLAGS.export:
        print(f"Report: {runs_lib.publish(FLAGS.out_dir)}")
        print(f"SavedModel: {os.path.join(FLAGS.out_dir, run_folder.MODEL)}")
    return 0


def entry() -> None:
    """The console command kfer-train."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

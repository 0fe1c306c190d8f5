"""Runs a named pipeline on this machine, or compiles it for Kubeflow.

kfer-pipeline run --pipeline=NAME --root=DIR [--data_dir=RAW] [flags]
kfer-pipeline run --pipeline=own_data --root=DIR --data_dir=DATA [--table=CSV] [flags]
kfer-pipeline compile --pipeline=NAME --root=DIR --out=FILE --image=IMAGE [flags]
kfer-pipeline submit --out=FILE --project=PROJECT --region=REGION [--service_account=X]

A second run takes from the cache whatever hasn't changed; after a kill the same command
goes on. Exit status 3: all went well, but the model was not blessed and not pushed.
"""

import dataclasses
import os
import sys
from collections.abc import Sequence
from typing import Any

from absl import flags

from kfer.bin import common, remote, table_flags
from kfer.data import shard_files
from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings.parsing import parse_settings
from kfer.storage import places
from pipelines import config as pipeline_config

FLAGS = flags.FLAGS

NOT_BLESSED = 3
# Vertex takes buckets; `run` refuses them.
_REMOTE = ("root", "data_dir", "teacher_data_dir", "out", "image")
STORES = dict.fromkeys(_REMOTE, remote.AS_IT_IS)

NAMES = ", ".join((*pipeline_config.PIPELINES, pipeline_config.OWN_DATA))

flags.DEFINE_string("pipeline", "", f"One of {NAMES}.")
flags.DEFINE_string("root", "", "Folder of metadata, artifacts, checkpoints, models.")
flags.DEFINE_string("data_dir", "", "Raw data; empty for data that is drawn.")
flags.DEFINE_string(
    "table",
    "",
    "Of own_data: the table of ratings of the pictures in --data_dir; empty for a "
    "prepared data set, class folders or a manifest.",
)
flags.DEFINE_list(
    "tasks", [], "Of own_data: label columns to learn, or their truths; empty: all."
)
flags.DEFINE_string("teacher_data_dir", "", "Raw data that the teacher learns from.")
flags.DEFINE_string(
    "teacher_model", "", "A SavedModel or run that is the teacher; it is not trained."
)
flags.DEFINE_multi_string(
    "set", [], "One setting of the experiment, such as epochs=3; repeatable."
)
flags.DEFINE_multi_string(
    "teacher_set", [], "One setting of the teacher's experiment; repeatable."
)
flags.DEFINE_integer("steps", 0, "Training steps; 0 means the epochs.", 0)
flags.DEFINE_integer("teacher_steps", 0, "Likewise, of the teacher.", 0)
flags.DEFINE_enum(
    "strategy",
    "mirrored",
    pipeline_config.STRATEGIES,
    "Of every training: mirrored (all devices), default (one) or tpu.",
)
flags.DEFINE_enum(
    "mixed_precision", "float32", config_lib.PRECISIONS, "What layers multiply in."
)
flags.DEFINE_bool("jit_compile", False, "Compile the training step with XLA.")
flags.DEFINE_string(
    "encoder_weights", "", "Start encoders from 'imagenet' or an .npz/.pth file."
)
flags.DEFINE_integer("eval_every", 0, "Steps between evaluations; 0 is an epoch.", 0)
flags.DEFINE_integer("num_train", None, "Training examples; all if not given.", 1)
flags.DEFINE_integer("num_test", None, "Test examples; all if not given.", 1)
flags.DEFINE_list(
    "minimum", None, "Thresholds of the blessing, such as expression/accuracy=0.5."
)
flags.DEFINE_list("beam_args", [], "Flags of Beam, parted by commas.")
flags.DEFINE_string("out", "", "File that compile writes, .json or .yaml.")
flags.DEFINE_string("image", "", "Container image with kfer, for compile.")
flags.DEFINE_float("trainer_cpus", 0.0, "Cores of each training's container.", 0.0)
flags.DEFINE_float("trainer_memory_gib", 0.0, "Its memory.", 0.0)
flags.DEFINE_integer("trainer_gpus", 0, "Its GPUs.", 0)
flags.DEFINE_string("trainer_gpu_type", "", "Their kind, as the cluster names it.")
flags.DEFINE_string("project", "", "Google Cloud's, for submit.")
flags.DEFINE_string("region", "", "Of Vertex, for submit.")
flags.DEFINE_string("service_account", "", "That the submitted run works as.")

# Of one subcommand alone.
_OF_COMPILE = (
    *("image", "trainer_cpus", "trainer_memory_gib"),
    *("trainer_gpus", "trainer_gpu_type"),
)
_OF_SUBMIT = ("project", "region", "service_account")


def config_from_flags() -> pipeline_config.PipelineConfig:
    """The pipeline that the flags ask for."""
    if not FLAGS.pipeline or not FLAGS.root:
        raise UserError(f"Name a --pipeline ({NAMES}) and a --root")
    limit = {"train": FLAGS.num_train, "test": FLAGS.num_test}
    limit = {split: count for split, count in limit.items() if count is not None}
    minimum = None
    if FLAGS.minimum is not None:
        minimum = parse_settings(FLAGS.minimum)
        if bad := [k for k, v in minimum.items() if not isinstance(v, (int, float))]:
            raise UserError(f"--minimum takes numbers; {bad[0]} has none")
    if FLAGS.pipeline == pipeline_config.OWN_DATA:
        described = _own_data(limit, minimum)
        return dataclasses.replace(described, running=_running())
    if FLAGS.table or FLAGS.tasks:
        raise UserError(f"--table and --tasks go with {pipeline_config.OWN_DATA}")
    described = pipeline_config.named(
        FLAGS.pipeline,
        parse_settings(FLAGS.set),
        parse_settings(FLAGS.teacher_set),
        limit,
        minimum,
        FLAGS.steps,
        FLAGS.teacher_steps,
    )
    return dataclasses.replace(described, running=_running())


def _running() -> pipeline_config.Running:
    path, digest = FLAGS.encoder_weights, ""
    if path and path != pipeline_config.IMAGENET:
        if not os.path.isfile(path):
            raise UserError(f"--encoder_weights={path} is no file")
        path, digest = os.path.abspath(path), shard_files.sha256(path)
    return pipeline_config.Running(
        FLAGS.strategy,
        FLAGS.mixed_precision,
        FLAGS.jit_compile,
        path,
        digest,
        FLAGS.eval_every,
    )


def _own_data(limit: dict, minimum: dict | None) -> pipeline_config.PipelineConfig:
    """The pipeline that follows from the data, which are looked at first."""
    if FLAGS.teacher_set or FLAGS.teacher_steps:
        raise UserError(f"The pipeline {FLAGS.pipeline} has no teacher to set")
    places.local(FLAGS.data_dir, "--data_dir")
    from pipelines import own_data

    path = {"path": os.path.abspath(FLAGS.table)} if FLAGS.table else {}
    if path and not os.path.isfile(path["path"]):
        raise UserError(f"There is no table {FLAGS.table}")
    data_dir = os.path.abspath(FLAGS.data_dir) if FLAGS.data_dir else ""
    table = table_flags.options_from_flags(**path)
    if os.path.isdir(data_dir) and (said := own_data.understood(data_dir, table)):
        print(said, flush=True)
    return own_data.config_of(
        data_dir,
        table,
        FLAGS.tasks,
        parse_settings(FLAGS.set),
        limit,
        minimum,
        FLAGS.steps,
    )


def _refuse(names: Sequence[str], goes_with: str) -> None:
    for flag in names:
        if FLAGS[flag].value:
            raise UserError(f"--{flag} goes with {goes_with}")


def _need(names: Sequence[str], subcommand: str) -> None:
    for flag in names:
        if not FLAGS[flag].value:
            raise UserError(f"{subcommand} needs --{flag}")


def _run() -> int:
    config = config_from_flags()
    _refuse(("out", *_OF_COMPILE), "compile")
    _refuse(_OF_SUBMIT, "submit")
    for flag in ("root", "data_dir", "teacher_data_dir"):
        places.local(FLAGS[flag].value, f"--{flag}")
    if FLAGS.teacher_model and (FLAGS.teacher_set or FLAGS.teacher_steps):
        raise UserError("A --teacher_model is not trained; leave its settings out")
    common.import_tensorflow()
    from pipelines import local_runner

    result = local_runner.run(
        config,
        FLAGS.root,
        FLAGS.data_dir,
        FLAGS.teacher_data_dir,
        FLAGS.teacher_model,
        FLAGS.beam_args,
    )
    print(f"\nReport  {local_runner.report_of(result)}")
    print(f"Log     {result.log}")
    if not result.model:
        print(f"Model   {result.verdict}")
        return NOT_BLESSED
    print(f"Model   {result.model}")
    return 0


def _compile() -> int:
    config = config_from_flags()
    _refuse(_OF_SUBMIT, "submit")
    _need(("out", "image"), "compile")
    if FLAGS.teacher_model:
        raise UserError("--teacher_model goes with run")
    common.import_tensorflow()
    from pipelines import kubeflow_runner

    path = kubeflow_runner.compile_pipeline(
        config,
        FLAGS.root,
        FLAGS.image,
        FLAGS.out,
        FLAGS.data_dir,
        FLAGS.teacher_data_dir,
        FLAGS.beam_args,
        kubeflow_runner.Resources(
            FLAGS.trainer_cpus,
            FLAGS.trainer_memory_gib,
            FLAGS.trainer_gpus,
            FLAGS.trainer_gpu_type,
        ),
    )
    print(path)
    return 0


def _submit() -> int:
    known = ("out", *_OF_SUBMIT)
    own = FLAGS.get_key_flags_for_module(sys.modules[__name__])
    given = [f.name for f in own if f.present and f.name not in known]
    if given:
        raise UserError(f"--{given[0]} is of compile; submit takes what that wrote")
    _need(("out", "project", "region"), "submit")
    from pipelines import vertex

    print(vertex.submit(FLAGS.out, FLAGS.project, FLAGS.region, FLAGS.service_account))
    return 0


SUBCOMMANDS = {"run": _run, "compile": _compile, "submit": _submit}


def main(argv: Sequence[str]) -> Any:
    """Calls the function of the first word.

    Raises:
      UserError: no word or an unknown one, or see the runners.
    """
    if len(argv) != 2 or argv[1] not in SUBCOMMANDS:
        given = " ".join(argv[1:])
        raise UserError(f"Say one of {', '.join(SUBCOMMANDS)}, got {given!r}")
    common.needs_tfx()
    return SUBCOMMANDS[argv[1]]()


def entry() -> None:
    """The console command kfer-pipeline."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

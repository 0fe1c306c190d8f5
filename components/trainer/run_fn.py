"""run_fn: what TFX's Trainer calls to train one config."""

import hashlib
import json
import os
import shutil
from typing import Any

from kfer import methods, runs
from kfer.data import dataset as dataset_lib
from kfer.data import own_data, shard_files
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import export
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig
from kfer.storage import places, whole
from kfer.training import run_folder

# What a finished run tells about itself, for the ModelRun artifact.
_KEPT = (
    run_folder.CONFIG,
    run_folder.VERSIONS,
    run_folder.HISTORY,
    run_folder.METRICS,
    scoring.PREDICTIONS,
)


def run_fn(fn_args: Any) -> None:
    """Trains, or goes on training, and exports the model.

    Checkpoints lie in a folder of `work_dir` that is named by what they depend on, not
    in the artifacts, which TFX deletes when training fails: so a killed training goes
    on where it stopped.

    Args:
      fn_args: TFX's; its custom_config holds 'experiment' (config.to_dict) or
        'declared' (arguments of own_data.experiment_of), 'steps' (0: the config's
        epochs), 'work_dir', 'code_version' and 'command'; and 'running', the fields of
        pipelines.config.Running, where they aren't RunSettings' own.

    Raises:
      UserError: a SIGTERM ended it early, or see training.train.
    """
    settings = fn_args.custom_config
    data_dir = places.local(data_dir_of(fn_args.train_files), "The training data")
    dataset = dataset_lib.load(data_dir)
    config, settings = config_of(settings, dataset)
    run_dir = os.path.join(
        settings["work_dir"], run_name(settings, dataset.content_hash)
    )
    _forget_moved_data(run_dir, dataset)
    metrics = runs.train(
        config,
        dataset,
        run_dir,
        _run_settings(settings),
    )
    if metrics["interrupted"]:
        raise UserError("Training was stopped by a signal; the same command goes on")
    if runs.compared(config, dataset):
        predictions = os.path.join(run_dir, scoring.PREDICTIONS)
        scoring.evaluate_run(run_dir, dataset.root, predictions_path=predictions)
    out_dir = places.local(fn_args.serving_model_dir, "The model's folder")
    export.export_run(run_dir, out_dir)
    _keep(run_dir, places.local(fn_args.model_run_dir, "The run's folder"))


def _run_settings(settings: dict[str, Any]) -> runs.RunSettings:
    running = dict(settings.get("running", {}))
    digest = running.pop("weights_digest", "")
    path = running.get("encoder_weights", "")
    if digest and shard_files.sha256(path) != digest:
        raise UserError(
            f"{path} is not the file that the pipeline was described with; run it again"
        )
    return runs.RunSettings(
        steps=settings["steps"], command=settings["command"], **running
    )


def config_of(
    settings: dict[str, Any], dataset: Dataset
) -> tuple[ExperimentConfig, dict[str, Any]]:
    """The config that is trained, and the settings with it as 'experiment'.

    Args:
      settings: custom_config, see run_fn.
      dataset: that is learned from.
    """
    if "declared" not in settings:
        return config_lib.from_dict(settings["experiment"]), settings
    declared = settings["declared"]
    described = own_data.experiment_of(
        dataset, declared["names"], **declared["settings"]
    )
    config = methods.resolve_tasks(described)
    return config, settings | {"experiment": config_lib.to_dict(config)}


def data_dir_of(train_files: list[str]) -> str:
    """The prepared data set of TFX's patterns ['DIR/Split-train/*']."""
    return os.path.dirname(os.path.dirname(train_files[0]))


def run_name(settings: dict[str, Any], content_hash: str) -> str:
    """A folder's name that changes with whatever the checkpoints depend on."""
    names = ("experiment", "steps", "code_version", "running")
    keys = {name: settings[name] for name in names if name in settings}
    text = json.dumps(keys | {"data": content_hash}, sort_keys=True)
    method = settings["experiment"]["method"]
    return f"{method}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _forget_moved_data(run_dir: str, dataset: Dataset) -> None:
    """The same data may lie in another artifact now; the run notes where."""
    path = os.path.join(run_dir, run_folder.VERSIONS)
    if os.path.exists(path):
        versions = run_folder.read_json(path)
        if versions["data"]["content_hash"] == dataset.content_hash:
            versions["data"]["root"] = os.path.abspath(dataset.root)
            whole.write_json(path, versions)


def _keep(run_dir: str, out_dir: str) -> None:
    os.makedirs(out_dir, exist_ok=True)
    for name in _KEPT:
        path = os.path.join(run_dir, name)
        if name != scoring.PREDICTIONS or os.path.exists(path):
            shutil.copy2(path, out_dir)
    samples = os.path.join(run_dir, run_folder.SAMPLES)
    if os.path.isdir(samples):
        target = os.path.join(out_dir, run_folder.SAMPLES)
        shutil.copytree(samples, target, dirs_exist_ok=True)

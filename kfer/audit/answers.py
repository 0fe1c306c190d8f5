"""What a trained run says of every picture of a split."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tqdm

from kfer import tasks as tasks_lib
from kfer.audit import joint_score
from kfer.audit.label_sets import LabelSets
from kfer.data.dataset import Dataset
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.metrics import classification
from kfer.settings.config import ExperimentConfig, config_hash
from kfer.storage import fetching
from kfer.training import checkpoints, compiling, execution, run_folder


class Answers(NamedTuple):
    """A run's answers, in the order of the shards."""

    run: dict[str, Any]  # see `provenance`
    method: Any
    config: ExperimentConfig
    by_target: dict[str, np.ndarray]  # [n, size] probabilities, or values
    joint: dict[str, np.ndarray]  # see joint_score.scorer; {} without S_joint


def collect(
    run_dir: str, dataset: Dataset, split: str, sets: LabelSets, step: int = 0
) -> Answers:
    """Runs a checkpoint once over a split, without augmentation or draws.

    Args:
      run_dir: of kfer-train, any method.
      dataset: of pictures of any kind; no truth is needed.
      split: of it.
      sets: the split's labels, which the joint score reads.
      step: of the checkpoint; 0 for the newest.

    Raises:
      UserError: no run, no such checkpoint, a column of the joint score's labels means
        something else, or the model has diverged.
    """
    execution.configure()
    method, config, step = compiling.restored(run_dir, step)
    run = provenance(run_dir, config, step, dataset)
    return of_method(method, config, dataset, split, sets, run)


def of_method(
    method: Any,
    config: ExperimentConfig,
    dataset: Dataset,
    split: str,
    sets: LabelSets,
    run: dict[str, Any],
) -> Answers:
    """Runs a method once over a split; see `collect`.

    Args:
      method: built.
      config: of the method.
      dataset, split, sets: see `collect`.
      run: where the method comes from, as `provenance` tells it.
    """
    answer = scoring.traced(method, config)
    by_target = _over(dataset, config, split, lambda image, _: answer(image))
    for target, task in tasks_lib.task_of_target(config.tasks).items():
        rows = by_target[target]
        if task.is_categorical:
            by_target[target] = classification.check_probabilities(rows)
        elif not np.isfinite(rows).all():
            raise UserError(
                f"{np.sum(~np.isfinite(rows).all(axis=1))} answers of {target} are not "
                "finite: the model has diverged; train again with a lower learning rate"
            )
    joint = {}
    crowded = any(task.column in sets.crowds for task in config.stream_tasks)
    if joint_score.available(method) and not crowded:
        labels = joint_score.inputs(config.stream_tasks, sets)
        score = joint_score.scorer(method)
        joint = _over(
            dataset,
            config,
            split,
            lambda image, rows: score(image, {k: v[rows] for k, v in labels.items()}),
        )
    return Answers(run, method, config, by_target, joint)


def _over(
    dataset: Dataset,
    config: ExperimentConfig,
    split: str,
    function: Callable[[Any, slice], dict[str, Any]],
) -> dict[str, np.ndarray]:
    """function(images, their rows) of all batches, joined."""
    from kfer.data import broken, input_pipeline

    size = scoring.default_batch_size(config.image_size)
    parts: list[dict[str, np.ndarray]] = []
    total = dataset.split(split).num_records
    bar = tqdm.tqdm(total=total, disable=None, unit=" pictures")
    with broken.one_line(dataset), bar as progress:
        for image in input_pipeline.image_batches(dataset, config, split, size):
            rows = slice(len(parts) * size, (len(parts) + 1) * size)
            found = function(image, rows)
            parts.append({name: np.asarray(value) for name, value in found.items()})
            progress.update(len(image))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def provenance(
    run_dir: str, config: ExperimentConfig, step: int, dataset: Dataset
) -> dict[str, Any]:
    """Which model answers: for records.

    Returns:
      'folder', 'method', 'step', 'checkpoint' (path in the folder), 'config' (its
      hash), 'commit' and 'data' (content hash) of the run, and 'learned_these_labels',
      whether it was trained on this very data set.
    """
    made = run_folder.read_json(os.path.join(run_dir, run_folder.VERSIONS))
    data = made["data"]["content_hash"]
    return {
        "folder": fetching.origin(run_dir),
        "method": config.method,
        "step": step,
        "checkpoint": os.path.join(checkpoints.FOLDER, checkpoints.name_of(step)),
        "config": config_hash(config),
        "commit": made["commit"],
        "data": data,
        "learned_these_labels": data == dataset.content_hash,
    }

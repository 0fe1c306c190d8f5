"""Temperatures that make a method's confidence honest, from a prepared data set."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from kfer import tasks as tasks_lib
from kfer.data import meanings
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN, Column
from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.metrics import calibration
from kfer.settings.config import ExperimentConfig

# Values of `split` that are no split's name.
AUTO, NONE = "auto", "none"
# Enough to know a temperature within a few percent.
MAX_EXAMPLES = 2000
# Of fewer, chance decides: three right answers would ask for full confidence.
FEWEST = 20

_HELD_OUT, _LEARNED = "valid", "train"


def calibrate(
    method: Any, config: ExperimentConfig, dataset: Dataset, split: str = AUTO
) -> dict[str, dict[str, Any]]:
    """Fits one temperature for each target of classes.

    The labels are those the tasks learn, noisy as they are; a split that gives none of
    them is compared with its clean labels, so naming 'test' uses the test's truth.

    Args:
      method: a built kfer.methods.base.Method.
      config: of the method.
      dataset: see kfer.data.dataset.load. A label set of it that shares no example with
        another of its target is warned of.
      split: AUTO takes the labels of 'valid', which the method has not learned from,
        or those of 'train' where there are not FEWEST, and warns of a target whose
        labels are of no use or too few; NONE fits nothing.

    Returns:
      target -> the fields of kfer.metrics.calibration.Calibration, 'split' and
      'labels', the features compared with.

    Raises:
      UserError: no such split, it has no label of any target, or its label sets agree
        no more than by chance.
    """
    if split == NONE:
        return {}
    unasked = split == AUTO
    split = _chosen(dataset, config) if unasked else split
    features = features_by_target(dataset, config, split)
    if not features and any(task.is_categorical for task in config.tasks):
        raise UserError(
            meanings.unlike(dataset, config.tasks)
            or f"{split} in {dataset.root} has no label to calibrate the confidence "
            "with; name another split, or none"
        )
    if not features:
        return {}
    rows = _collect(method, config, dataset, split, features)
    found = {}
    for target, names in features.items():
        try:
            row = _fit(rows, target, list(names)) | {"split": split}
            if unasked and row["num_examples"] < FEWEST:
                raise UserError(
                    f"{row['num_examples']} examples of {split} with a label are too "
                    f"few; name the split to take fewer than {FEWEST} all the same"
                )
            found[target] = row
        except UserError as error:
            if not unasked:
                raise
            logging.warning("The confidence of %s is not calibrated: %s", target, error)
    return found


def _fit(
    rows: Mapping[str, np.ndarray], target: str, labels: list[str]
) -> dict[str, Any]:
    sets = np.stack([rows[name] for name in labels])
    fitted = calibration.calibrate(rows[target], sets)
    if len(labels) > 1 and (alone := calibration.alone(sets)).any():
        logging.warning(
            "%s: no example of %s has a label of another label set, so how often it is "
            "wrong can't be told; it is taken to be always right, and the confidence "
            "there is that of agreeing with it",
            target,
            " or ".join(np.array(labels)[alone]),
        )
    fields = dataclasses.asdict(fitted) | {"labels": labels}
    return fields | {"errors": list(fitted.errors)}


def temperatures(fitted: Mapping[str, Mapping[str, Any]] | None) -> dict[str, float]:
    """target -> T of what `calibrate` found."""
    return {target: row["temperature"] for target, row in (fitted or {}).items()}


def describe(fitted: Mapping[str, Mapping[str, Any]]) -> str:
    """One line a target to print."""
    return "\n".join(
        f"{target}: confidence calibrated with temperature {row['temperature']:.3f} on "
        f"{row['num_examples']} examples of {row['split']} "
        f"({', '.join(row['labels'])}); estimated ECE {row['ece_before']:.4f} before, "
        f"{row['ece_after']:.4f} after"
        for target, row in fitted.items()
    )


def _chosen(dataset: Dataset, config: ExperimentConfig) -> str:
    from kfer.data import labels

    held_out = dataset.splits.get(_HELD_OUT)
    given = held_out.given if held_out else {}
    learned = [labels.feature_of(task) for task in config.tasks if task.is_categorical]
    enough = any(given.get(name, 0) >= FEWEST for name in learned)
    return _HELD_OUT if enough else _LEARNED


def features_by_target(
    dataset: Dataset, config: ExperimentConfig, split: str
) -> dict[str, dict[str, Column]]:
    """Target of classes -> feature -> column: what its answers are compared with.

    Targets that the split has no label of are left out.
    """
    from kfer.data import labels

    given = dataset.split(split).given
    found: dict[str, dict[str, Column]] = {}
    for target, first in tasks_lib.task_of_target(config.tasks).items():
        tasks = [t for t in config.tasks if t.target == target and t.is_categorical]
        tasks = [task for task in tasks if given.get(labels.feature_of(task))]
        if tasks:
            found[target] = labels.training_columns(dataset, tasks, split)
        elif first.is_categorical and given.get(CLEAN + target):
            truth = dataclasses.replace(first, column=CLEAN + target)
            found[target] = labels.training_columns(dataset, [truth], split)
    return found


def _collect(
    method: Any,
    config: ExperimentConfig,
    dataset: Dataset,
    split: str,
    features: Mapping[str, Mapping[str, Column]],
) -> dict[str, np.ndarray]:
    """Probabilities by target and labels by feature, of at most MAX_EXAMPLES."""
    import tensorflow as tf

    from kfer.data import augment, labels
    from kfer.serving import encoded

    columns = {k: v for row in features.values() for k, v in row.items()}
    answers = scoring.traced(method, config)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def rows_of(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed, _ = labels.majorities(labels.parse(serialized, columns), columns)
        pictures = encoded.decode(parsed.pop("image/encoded"), config.image_size)
        images = augment.normalise(pictures, config.recipe.channel_order)
        found = answers(images)
        return parsed | {target: found[target] for target in features}

    # Spread over the split, which may be sorted by class.
    every = -(-dataset.split(split).num_records // MAX_EXAMPLES)
    records = tf.data.TFRecordDataset(dataset.files(split)).shard(every, 0)
    size = scoring.default_batch_size(config.image_size)
    parts = [rows_of(serialized) for serialized in records.batch(size)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

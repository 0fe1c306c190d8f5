"""Model and clean examples -> scores, predictions and pictures of G_X."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import dataset as dataset_lib
from kfer.data.dataset import Dataset
from kfer.data.record import TRUTH
from kfer.errors import UserError
from kfer.evaluation import slices, yardstick
from kfer.evaluation.yardstick import Yardstick
from kfer.metrics import suite
from kfer.settings.config import ExperimentConfig
from kfer.storage import fetching, whole
from kfer.training import run_folder

PREDICTIONS = "predictions.npz"

Answers = Callable[[Any], Mapping[str, Any]]


class Predictions(NamedTuple):
    """What a model says of one target over a split, and the truth."""

    prediction: np.ndarray  # [n, size] probabilities, or values in the label's unit
    target: np.ndarray  # [n] classes, or [n, D] values; 0 where missing
    mask: np.ndarray  # [n], 1 where the target is known


def evaluate(
    method: Any,
    dataset: Dataset,
    config: ExperimentConfig,
    split: str = "test",
    batch_size: int = 0,
    against: str = TRUTH,
) -> dict[str, Any]:
    """Scores a method against the truth, or against labels it has not learned from.

    Args:
      method: a built kfer.methods.base.Method.
      dataset: see kfer.data.dataset.load.
      config: of the method.
      split: to score on.
      batch_size: 0 chooses one by the image size.
      against: TRUTH or LABELS, see kfer.evaluation.yardstick.

    Returns:
      target -> its kfer.metrics.suite.evaluate_task, for the targets that the split
      has the truth, or labels, of.

    Raises:
      UserError: the split has the truth of no target, or the model has diverged.
    """
    return scorer(method, dataset, config, split, batch_size, against)()


def scorer(
    method: Any,
    dataset: Dataset,
    config: ExperimentConfig,
    split: str = "test",
    batch_size: int = 0,
    against: str = TRUTH,
) -> Callable[[], dict[str, Any]]:
    """`evaluate` for use many times in a run: its graph is traced once."""
    answers = traced(method, config)

    def score() -> dict[str, Any]:
        rows = collect(answers, dataset, config, split, batch_size, against)
        return scores(config, rows)

    return score


def alone(
    answers: Answers,
    dataset: Dataset,
    config: ExperimentConfig,
    target: str,
    own: Yardstick,
    batch_size: int = 0,
) -> dict[str, Any]:
    """The scores of one target against a yardstick of its own.

    Args:
      answers, dataset, config, batch_size: see `collect`.
      target: of the config's tasks.
      own: see yardstick.elsewhere.
    """
    tasks = yardstick.of_target(config, target)
    rows = collect(answers, dataset, tasks, own.split, batch_size, own.against)
    return scores(tasks, rows)[target]


def traced(method: Any, config: ExperimentConfig) -> Answers:
    """The method's answers as one graph for any batch size."""
    import tensorflow as tf

    side = config.image_size
    image = tf.TensorSpec([None, side, side, 3], tf.float32)
    return tf.function(method.answers, input_signature=[image], autograph=False)


def collect(
    answers: Answers,
    dataset: Dataset,
    config: ExperimentConfig,
    split: str = "test",
    batch_size: int = 0,
    against: str = TRUTH,
) -> dict[str, Predictions]:
    """Runs a model over a split in its stored order.

    Args:
      answers: images [B, S, S, 3] in [-1, 1], channels as the config's recipe has
        them -> target -> [B, size].
      dataset, config, split, batch_size, against: see `evaluate`.

    Returns:
      target -> predictions, for the targets that the split has the truth of; against
      LABELS once more for each label set of the target.
    """
    from kfer.data import broken, input_pipeline, labels

    targets_of = {labels.feature_of(task): task.target for task in config.tasks}
    size = batch_size or default_batch_size(config.image_size)
    rows: dict[str, list[tuple[np.ndarray, ...]]] = {}
    batches = input_pipeline.eval_batches(dataset, config, split, size, against)
    with broken.one_line(dataset):
        for image, targets, masks in batches:
            found = answers(image)
            for key, target in targets.items():
                name = targets_of.get(key, key)
                row = found[name], target, masks[key]
                parts = tuple(np.asarray(part) for part in row)
                rows.setdefault(name, []).append(parts)
    return {
        name: Predictions(*(np.concatenate(parts) for parts in zip(*part, strict=True)))
        for name, part in rows.items()
    }


def default_batch_size(image_size: int) -> int:
    """256 up to 64 px, then fewer, so that the widest map keeps its memory."""
    return max(8, 256 * 64**2 // max(64, image_size) ** 2)


def scores(
    config: ExperimentConfig, predictions: Mapping[str, Predictions]
) -> dict[str, Any]:
    """target -> kfer.metrics.suite.evaluate_task of its predictions."""
    tasks = tasks_lib.task_of_target(config.tasks)
    return {
        name: suite.evaluate_task(tasks[name], *part)
        for name, part in predictions.items()
    }


def write_predictions(path: str, predictions: Mapping[str, Predictions]) -> None:
    """Writes <target>_prediction, _target and _mask as .npz, whole or not at all.

    Raises:
      UserError: it can't be written there.
    """
    arrays = {
        f"{name}_{field}": value
        for name, part in predictions.items()
        for field, value in part._asdict().items()
    }
    with whole.writing(path) as file:
        np.savez(file, **arrays)


def read_predictions(path: str) -> dict[str, Predictions]:
    """What write_predictions wrote; UserError if it is damaged."""
    fields = Predictions._fields
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = [
                key.removesuffix("_mask") for key in arrays if key.endswith("_mask")
            ]
            return {
                n: Predictions(*(arrays[f"{n}_{f}"] for f in fields)) for n in names
            }
    except Exception as error:  # zipfile and NumPy raise whatever they stumble over
        raise UserError(f"Can't read predictions from {path}: {error}") from error


def load_data(run_dir: str, data_dir: str = "") -> Dataset:
    """The data set at data_dir, or where the run found its own if ''."""
    if data_dir:
        return dataset_lib.load(data_dir)
    versions = run_folder.read_json(os.path.join(run_dir, run_folder.VERSIONS))
    return dataset_lib.load(versions["data"]["root"])


def evaluate_run(
    run_dir: str,
    data_dir: str = "",
    split: str = "",
    batch_size: int = 0,
    predictions_path: str = "",
    against: str = "",
    slice_by: Sequence[str] = (),
    test_averaging: str = "",
) -> dict[str, Any]:
    """Scores a run's newest checkpoint.

    Args:
      run_dir: of kfer-train.
      data_dir: prepared data set; the run's own if ''.
      split, against: see yardstick.choose.
      batch_size: see `evaluate`.
      predictions_path: .npz to write the predictions to; '' writes none.
      slice_by: class columns whose classes are scored each by itself, too.
      test_averaging: see Optimization; '' for the run's own.

    Returns:
      'run', 'step', 'test_averaging', 'data' (root and content hash), 'split',
      'against' and 'scores' by target; with slice_by 'slices', see
      kfer.evaluation.slices.of; where neither split nor against is named and those have
      nothing of some targets, 'elsewhere': target -> 'split', 'against' and 'scores' of
      its own, or None if it can't be scored.

    Raises:
      UserError: no run, no checkpoint, no data set, or no truth in the split.
    """
    config = run_folder.load_config(run_dir)
    dataset = load_data(run_dir, data_dir)
    compared = yardstick.choose(dataset, config, split, against)
    from kfer.training import compiling

    method, config, step = compiling.restored(run_dir, test_averaging=test_averaging)
    answers = traced(method, config)
    found = {"run": fetching.shown(run_dir), "step": step}
    found |= report(
        answers, dataset, config, compared, batch_size, predictions_path, slice_by
    )
    if split or against:
        return found
    return found | elsewhere(answers, dataset, config, compared, batch_size)


def report(
    answers: Answers,
    dataset: Dataset,
    config: ExperimentConfig,
    compared: Yardstick,
    batch_size: int,
    predictions_path: str,
    slice_by: Sequence[str] = (),
) -> dict[str, Any]:
    """See evaluate_run."""
    split, against = compared
    slices.columns(dataset, split, slice_by)
    size = batch_size or default_batch_size(config.image_size)
    predictions = collect(answers, dataset, config, split, size, against)
    if predictions_path:
        write_predictions(predictions_path, predictions)
    parts = slices.of(predictions, dataset, config, split, size, slice_by)
    return {
        "test_averaging": config.optimization.test_averaging,
        "data": {
            "root": fetching.shown(dataset.root),
            "content_hash": dataset.content_hash,
        },
        "split": split,
        "against": against,
        "scores": scores(config, predictions),
        **({"slices": parts} if slice_by else {}),
    }


def elsewhere(
    answers: Answers,
    dataset: Dataset,
    config: ExperimentConfig,
    first: Yardstick,
    batch_size: int = 0,
) -> dict[str, Any]:
    """'elsewhere' of evaluate_run; {} where `first` has something of each target."""
    found: dict[str, Any] = {}
    for target, own in yardstick.elsewhere(dataset, config, first).items():
        found[target] = None
        if own:
            row = alone(answers, dataset, config, target, own, batch_size)
            found[target] = own.as_dict() | {"scores": row}
    return {"elsewhere": found} if found else {}

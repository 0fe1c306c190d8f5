"""Pictures drawn by G_X: one column a class, one y0 a row, as the paper's Fig. 4."""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from kfer.data.dataset import Dataset
from kfer.evaluation import pictures
from kfer.settings.config import ExperimentConfig
from kfer.storage import whole
from kfer.tasks import LabelTask
from kfer.training import run_folder

ROWS = 6
# Columns along the first dimension where there are no classes.
_SWEEP = 7


class Columns(NamedTuple):
    """What each column of a grid shows."""

    titles: tuple[str, ...]
    labels: dict[str, np.ndarray]  # stream task -> float32 [K, size], decoder's input


def columns(
    config: ExperimentConfig, values: Mapping[str, np.ndarray] | None = None
) -> Columns:
    """One column a class of the first class task; every task of these classes agrees.

    Other class tasks are missing. Without class tasks the columns sweep the first
    dimension of the first task, from low to high.

    Args:
      config: its stream tasks are the decoder's labels.
      values: continuous task -> [K, D] by class; the middle of the range if not given.
    """
    tasks = config.stream_tasks
    values = values or {}
    first = next((task for task in tasks if task.is_categorical), None)
    count = first.size if first else _SWEEP
    labels = {}
    for task in tasks:
        if task.is_categorical:
            same = task.classes == first.classes
            given = np.eye(count) if same else np.zeros((count, task.size))
        else:
            middle = np.full((count, task.size), (task.low + task.high) / 2)
            given = np.array(values.get(task.name, middle))
        labels[task.name] = given.astype(np.float32)
    if first:
        return Columns(first.classes, labels)
    return _sweep(tasks[0], labels)


def _sweep(task: LabelTask, labels: dict[str, np.ndarray]) -> Columns:
    steps = np.linspace(task.low, task.high, _SWEEP)
    labels[task.name][:, 0] = steps
    titles = tuple(f"{step:+.2g}" for step in steps)
    return Columns(titles, labels)


def draw(
    method: Any,
    config: ExperimentConfig,
    shown: Columns,
    rows: int = ROWS,
    seed: int = 0,
) -> np.ndarray:
    """Draws a grid with the decoder as it serves (running statistics).

    Args:
      method: with a built decoder.
      config: of the method.
      shown: of `columns`.
      rows: number of y0.
      seed: of y0.

    Returns:
      uint8 [rows, K, S, S, 3] RGB.
    """
    import tensorflow as tf

    count, size = len(shown.titles), config.image_size
    y0 = tf.random.stateless_normal([rows, config.noise_size], [seed, 0])
    labels = {name: np.tile(part, (rows, 1)) for name, part in shown.labels.items()}
    image = method.decoder(tf.repeat(y0, count, axis=0), labels)
    image = to_uint8(image, config.recipe.channel_order)
    return image.numpy().reshape(rows, count, size, size, 3)


def to_uint8(image: Any, channel_order: str) -> Any:
    """[..., 3] in [-1, 1] in the recipe's channel order -> uint8 RGB."""
    import tensorflow as tf

    if channel_order == "bgr":
        image = tf.reverse(image, axis=[-1])
    image = tf.round((image + 1.0) * 127.5)
    return tf.cast(tf.clip_by_value(image, 0.0, 255.0), tf.uint8)


def typical_values(dataset: Dataset, config: ExperimentConfig) -> dict[str, np.ndarray]:
    """Mean continuous labels by class of the training split.

    Returns:
      Continuous stream task -> [K, D] by class of the first class task; a class that
      never meets a value has the middle of the range. Empty without either kind.
    """
    tasks = config.stream_tasks
    first = next((task for task in tasks if task.is_categorical), None)
    continuous = [task for task in tasks if not task.is_categorical]
    if not first or not continuous:
        return {}
    labels, mask = _training_labels(dataset, config, (first, *continuous))
    found = {}
    for task in continuous:
        given = (mask[first.name] * mask[task.name]) > 0
        onehot = np.eye(first.size)[labels[first.name][given]]
        counts = onehot.sum(axis=0)[:, None]
        sums = onehot.T @ labels[task.name][given]
        middle = (task.low + task.high) / 2
        found[task.name] = np.where(counts > 0, sums / np.maximum(counts, 1), middle)
    return found


def _training_labels(
    dataset: Dataset, config: ExperimentConfig, tasks: tuple[LabelTask, ...]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    import tensorflow as tf

    from kfer.data import labels as labels_lib

    features = labels_lib.training_columns(dataset, tasks, "train")
    clip = config.recipe.clip_continuous

    def read(serialized: Any) -> Any:
        parsed = labels_lib.parse(serialized, features)
        return labels_lib.training_labels(parsed, tasks, features, clip)

    records = tf.data.TFRecordDataset(dataset.files("train")).batch(1024).map(read)
    parts = list(records.as_numpy_iterator())
    value, mask = (
        {
            task.name: np.concatenate([part[i][task.name] for part in parts])
            for task in tasks
        }
        for i in (0, 1)
    )
    return value, mask


def painter(
    method: Any,
    run_dir: str,
    dataset: Dataset | None = None,
    rows: int = ROWS,
    seed: int = 0,
) -> Callable[[int], str | None]:
    """A function of the step that writes samples/step-<step>.png.

    Args:
      method: built.
      run_dir: the run's folder.
      dataset: whose typical continuous labels by class the columns have; the middle of
        the range if None.
      rows: number of y0, the same at every step.
      seed: of y0.

    Returns:
      step -> path, or None where the method has no decoder.
    """
    config = method.config
    if getattr(method, "decoder", None) is None:
        return lambda step: None
    values = typical_values(dataset, config) if dataset else None
    shown = columns(config, values)

    def paint(step: int) -> str:
        folder = os.path.join(run_dir, run_folder.SAMPLES)
        path = os.path.join(folder, f"step-{step:06d}.png")
        grid = pictures.sample_grid(
            draw(method, config, shown, rows, seed), shown.titles
        )
        whole.write_bytes(path, grid)
        return path

    return paint

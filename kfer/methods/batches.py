"""Pictures and labels in memory as batches, for fit and evaluate as Keras has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.crowd.triples import Triples, Values
from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, Noise
from kfer.tasks import LabelTask

_TOLERANCE = 1e-3  # of rounding beyond [-1, 1]


def images(config: ExperimentConfig, given: Any) -> np.ndarray:
    """float32 [N, S, S, 3] in [-1, 1], channels as the recipe has them.

    Args:
      config: of the method.
      given: uint8 [N, S, S, 3] RGB; or float [N, S, S, 3] in [-1, 1], channels as the
        recipe has them.

    Raises:
      UserError: another shape, type or range.
    """
    pixels, size = np.asarray(given), config.image_size
    if pixels.ndim != 4 or pixels.shape[1:] != (size, size, 3):
        raise UserError(
            f"Pictures are [N, {size}, {size}, 3] for this method, got "
            f"{list(pixels.shape)}"
        )
    if pixels.dtype == np.uint8:
        order = -1 if config.recipe.channel_order == "bgr" else 1
        pixels = pixels[..., ::order]
        return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
    if pixels.dtype.kind != "f":
        raise UserError(f"Pictures are uint8 or float, got {pixels.dtype}")
    if pixels.size and not np.abs(pixels).max() <= 1.0 + _TOLERANCE:
        raise UserError(
            f"Float pictures are in [-1, 1], got {pixels.min():g} to {pixels.max():g}"
        )
    return pixels.astype(np.float32)


def labels(
    config: ExperimentConfig, given: Any, count: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Labels and masks by task, see structures.Batch.

    Args:
      config: of the method.
      given: task -> classes [N] (-1 where missing), probabilities [N, K] or values
        [N, D] (NaN where missing); or those of the only task. A task that is left out
        has no label.
      count: N.

    Raises:
      UserError: an unknown task, another shape, or a label out of range.
    """
    tasks = {task.name: task for task in config.tasks}
    if not isinstance(given, Mapping):
        if len(tasks) > 1:
            raise UserError(f"Labels come by task: {', '.join(tasks)}")
        given = {next(iter(tasks)): given}
    if unknown := sorted(set(given) - set(tasks)):
        raise UserError(f"There is no task {unknown[0]!r}; known: {', '.join(tasks)}")
    values, masks = {}, {}
    for name, task in tasks.items():
        shape = (count,) if task.is_categorical else (count, task.size)
        missing = -1 if task.is_categorical else np.nan
        rows = np.asarray(given.get(name, np.full(shape, missing)))
        values[name], masks[name] = _checked(task, rows, count)
    return values, masks


def _checked(
    task: LabelTask, rows: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    if not task.is_categorical and rows.ndim == 1 and task.size == 1:
        rows = rows[:, None]
    hard = task.is_categorical and rows.ndim == 1 and rows.dtype.kind in "iu"
    if rows.shape != ((count,) if hard else (count, task.size)):
        wanted = "int [N]" if task.is_categorical else f"float [N, {task.size}]"
        raise UserError(
            f"Labels of {task.name} are {wanted} for {count} pictures, got "
            f"{rows.dtype} {list(rows.shape)}"
        )
    known = rows >= 0 if hard else np.isfinite(rows).all(axis=1)
    low, high = (-1, task.size - 1) if hard else (task.low, task.high)
    if task.is_categorical and not hard:
        low, high = 0.0, 1.0
    if known.any() and not (low <= rows[known].min() and rows[known].max() <= high):
        raise UserError(f"A label of {task.name} is outside {low:g}..{high:g}")
    if hard and (rows < -1).any():
        raise UserError(f"A label of {task.name} is below -1, which is none")
    kind = np.int32 if hard else np.float32
    shown = known if hard else known[:, None]
    return np.where(shown, rows, 0).astype(kind), known.astype(np.float32)


def said(
    config: ExperimentConfig, tasks: Sequence[LabelTask], given: Any, count: int
) -> dict[str, Triples | list[Values]]:
    """What labels in memory say of each target, as Method.begin takes it.

    Args:
      config: of the method.
      tasks: whose labels count; each is one annotator's. Of probabilities the likeliest
        class is said.
      given, count: see labels.

    Raises:
      UserError: a label set is of several annotators, or see labels.
    """
    names = ("num_annotators", "num_value_annotators")
    crowds = [n for name in names for n in getattr(config.options, name, ())]
    if max(crowds, default=0) > 1:
        raise UserError(
            f"Labels in memory are of one annotator a task, and {config.method} was "
            "made for a crowd; train it with kfer.fit"
        )
    values, masks = labels(config, given, count)
    found: dict[str, Any] = {}
    for target in dict.fromkeys(task.target for task in tasks):
        own = [task for task in tasks if task.target == target]
        known = np.stack([masks[task.name] > 0 for task in own])
        if own[0].is_categorical:
            sets = np.stack([_hard(values[task.name]) for task in own])
            found[target] = Triples.of_sets(np.where(known, sets, -1), own[0].size)
        else:
            rows = np.stack([values[task.name] for task in own])  # [A, N, D]
            rows = np.where(known[:, :, None], rows, np.nan)
            found[target] = [Values.of_sets(one) for one in np.moveaxis(rows, 2, 0)]
    return found


def _hard(rows: np.ndarray) -> np.ndarray:
    return rows.argmax(axis=1) if rows.ndim == 2 else rows


def training(
    config: ExperimentConfig, pictures: Any, given: Any, size: int
) -> tf.data.Dataset:
    """Shuffled whole batches of one epoch; each epoch has another order and noise.

    Args:
      config: of the method.
      pictures: see images.
      given: see labels.
      size: of a batch.

    Raises:
      UserError: fewer pictures than a batch, or see images and labels.
    """
    count = len(pictures)
    if count < size:
        raise UserError(f"batch_size {size} is more than the {count} pictures")
    places = tf.data.Dataset.range(count).shuffle(count, seed=config.seed)
    places = places.batch(size, drop_remainder=True)
    seeds = tf.data.Dataset.random(config.seed, rerandomize_each_iteration=True)
    make = _maker(config, pictures, given)
    return tf.data.Dataset.zip((places, seeds)).map(make).prefetch(tf.data.AUTOTUNE)


def evaluation(
    config: ExperimentConfig, pictures: Any, given: Any, size: int
) -> tf.data.Dataset:
    """All examples in their order; see training."""
    places = tf.data.Dataset.range(len(pictures)).batch(size)
    make = _maker(config, pictures, given)
    return places.map(lambda rows: make(rows, tf.constant(0, tf.int64)))


def _maker(config: ExperimentConfig, pictures: Any, given: Any) -> Any:
    """(positions [B], seed) -> Batch."""
    all_images = tf.constant(images(config, pictures))
    values, masks = (
        {name: tf.constant(rows) for name, rows in part.items()}
        for part in labels(config, given, len(pictures))
    )

    def make(places: tf.Tensor, seed: tf.Tensor) -> Batch:
        def rows(part: Any) -> Any:
            return {name: tf.gather(value, places) for name, value in part.items()}

        drawn = noise(config, tf.shape(places)[0], seed)
        image = tf.gather(all_images, places)
        return Batch(image, rows(values), rows(masks), drawn, places)

    return make


def noise(config: ExperimentConfig, size: tf.Tensor, seed: tf.Tensor) -> Noise:
    """What a step of `size` examples draws.

    Args:
      config: of the method.
      size: of the batch.
      seed: int64 scalar.
    """

    def key(stream: int) -> tf.Tensor:
        return tf.stack([seed, tf.constant(stream, tf.int64)])

    normal, uniform = tf.random.stateless_normal, tf.random.stateless_uniform
    units = 2 * config.channels(config.embedding_size)
    return Noise(
        y0_encoder=normal([size, config.noise_size], key(0)),
        y0_decoder=normal([size, config.noise_size], key(1)),
        dropout=uniform([size, units], key(2)),
    )

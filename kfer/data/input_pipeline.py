"""Prepared data set -> batches: parse, decode, augment, noise.

Order, augmentation and noise are functions of (seed, position) alone. So training can
go on at any step as if it had never stopped, and each of N workers makes its own slice
of the batch that a single worker would make.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from kfer.data import augment, decoding, draws, labels, mixup, storage
from kfer.data.dataset import Dataset
from kfer.data.draws import Share
from kfer.data.record import CLEAN, TRUTH
from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch

MEMORY_BUDGET = 2 << 30  # bytes of shards


def steps_per_epoch(
    dataset: Dataset, config: ExperimentConfig, split: str = "train"
) -> int:
    """Whole batches in a split; the rest of an epoch is dropped.

    Raises:
      UserError: the split has fewer examples than a batch.
    """
    count = dataset.split(split).num_records
    if config.batch_size > count:
        raise UserError(
            f"batch_size {config.batch_size} is more than the {count} examples of "
            f"{split} in {dataset.root}; lower batch_size"
        )
    return count // config.batch_size


def train_dataset(
    dataset: Dataset,
    config: ExperimentConfig,
    start_step: int = 0,
    split: str = "train",
    input_context: tf.distribute.InputContext | None = None,
    memory_budget: int = MEMORY_BUDGET,
) -> tf.data.Dataset:
    """Endless training batches.

    Element k equals element start_step + k of the same call with start_step 0, bit for
    bit, whatever the machine.

    Args:
      dataset: see dataset.load.
      config: of the run.
      start_step: global steps already done.
      split: to train on.
      input_context: of one of several input pipelines: each gets its contiguous slice
        of every global batch. With several replicas a pipeline, the slice comes as one
        element for each replica, in turn: distribute_datasets_from_function wants that.
      memory_budget: largest split, in bytes of its shards, that is held in memory and
        shuffled as a whole; see storage.training_rows.

    Returns:
      Dataset of structures.Batch.

    Raises:
      UserError: a task's column is missing or means something else, too few examples,
        a changed shard, or a batch size that the replicas don't divide (with mixup:
        into even parts).
    """
    columns = labels.training_columns(dataset, config.tasks, split)
    share = draws.share_of(input_context, config)
    per_epoch = steps_per_epoch(dataset, config, split)
    sides = draws.Sides(dataset.split(split).num_records, per_epoch, config)
    plan = storage.Plan(
        batch_size=config.batch_size,
        steps_per_epoch=per_epoch,
        start_step=start_step,
        shuffle=config.recipe.shuffle,
        seed=functools.partial(draws.seed_at, config.seed, draws.ORDER),
        **share.rows(),
    )
    rows, read = storage.training_rows(dataset, split, columns, plan, memory_budget)

    batch = _batch_maker(dataset, config, columns, read, share, sides)
    batches = rows.map(batch, tf.data.AUTOTUNE, deterministic=True)
    return _with_options(_by_replica(batches, share))


def without_augmentation(config: ExperimentConfig) -> ExperimentConfig:
    """The config whose training pictures are shown as they are."""
    plain = dataclasses.replace(config.optimization, mixup=0.0, cutout=0)
    return dataclasses.replace(config, augmentation="none", optimization=plain)


def _batch_maker(
    dataset: Dataset,
    config: ExperimentConfig,
    columns: dict[str, Any],
    read: Callable,
    share: Share,
    sides: draws.Sides,
) -> Callable:
    """(step, positions, stored rows) -> Batch, of storage.training_rows's rows."""
    clip = config.recipe.clip_continuous

    @storage.plain
    def batch(step: tf.Tensor, positions: tf.Tensor, content: tf.Tensor) -> Batch:
        features = read(content)
        value, mask = labels.training_labels(features, config.tasks, columns, clip)
        raw = decoding.pictures(features, dataset, config.image_size)
        shown = sides(step, positions)
        made = Batch(
            image=draws.augmented(raw, config, step, share, shown),
            labels=value,
            mask=mask,
            noise=draws.noise(config, step, share),
            index=positions,
            crowd=labels.training_crowds(features, config.tasks, columns),
        )
        if not config.optimization.mixup:
            return made
        return mixup.mixed(made, draws.mixing(config, step, share), config.tasks)

    return batch


def eval_batches(
    dataset: Dataset,
    config: ExperimentConfig,
    split: str = "test",
    batch_size: int = 256,
    against: str = TRUTH,
) -> tf.data.Dataset:
    """One pass over a split in its stored order, with the truth, not augmented.

    Args:
      dataset: see dataset.load.
      config: its tasks' targets are given, where the split has clean labels of them.
      split: to evaluate on.
      batch_size: the last batch may be smaller.
      against: TRUTH, or LABELS: what is learned, by feature.

    Returns:
      Dataset of (image, targets by name, masks by name): float32 [B, H, W, 3] in
      [-1, 1]; int32 [B] or float32 [B, D], 0 where missing; float32 [B] of 0 and 1. Of
      votes the class with the most, see labels.majorities.

    Raises:
      UserError: the split has no target, or no label, of any task.
    """
    columns = labels.compared_columns(dataset, config.tasks, split, against)

    @storage.plain
    def batch(serialized: tf.Tensor) -> tuple[Any, ...]:
        features = labels.parse(serialized, columns)
        features, meanings = labels.majorities(features, columns)
        value, mask = {}, {}
        for name, column in meanings.items():
            key = name.removeprefix(CLEAN)
            value[key], mask[key] = labels.value_and_mask(features[name], column)
        return _plain_images(features, dataset, config), value, mask

    return _one_pass(batch, dataset, split, batch_size)


def image_batches(
    dataset: Dataset,
    config: ExperimentConfig,
    split: str = "train",
    batch_size: int = 256,
) -> tf.data.Dataset:
    """The pictures of eval_batches alone, for a split that needs no truth.

    Raises:
      UserError: no such split, or it is empty.
    """

    @storage.plain
    def batch(serialized: tf.Tensor) -> tf.Tensor:
        return _plain_images(labels.parse(serialized, {}), dataset, config)

    return _one_pass(batch, dataset, split, batch_size)


def _one_pass(
    batch: Callable, dataset: Dataset, split: str, batch_size: int
) -> tf.data.Dataset:
    records = tf.data.TFRecordDataset(dataset.files(split)).batch(batch_size)
    return _with_options(
        records.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    )


def _plain_images(
    features: dict[str, tf.Tensor], dataset: Dataset, config: ExperimentConfig
) -> tf.Tensor:
    pictures = decoding.pictures(features, dataset, config.image_size)
    return augment.normalise(pictures, config.recipe.channel_order)


def _by_replica(batches: tf.data.Dataset, share: Share) -> tf.data.Dataset:
    """Each batch as one element for each replica of this pipeline."""
    if share.replicas == 1:
        return batches

    @storage.plain
    def split(batch: Batch) -> tf.data.Dataset:
        size = (share.end - share.begin) // share.replicas
        return tf.data.Dataset.from_tensor_slices(
            tf.nest.map_structure(
                lambda x: tf.reshape(x, [share.replicas, size, *x.shape[1:]]),
                batch,
            )
        )

    return batches.flat_map(split)


def _with_options(batches: tf.data.Dataset) -> tf.data.Dataset:
    options = tf.data.Options()
    options.deterministic = True
    # The share is chosen above; sharding again would drop examples.
    policy = tf.data.experimental.AutoShardPolicy.OFF
    options.experimental_distribute.auto_shard_policy = policy
    return batches.prefetch(tf.data.AUTOTUNE).with_options(options)

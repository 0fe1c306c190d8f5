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

from kfer.data import augment, decoding, labels, storage
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN, TRUTH
from kfer.errors import UserError
from kfer.settings.config import ExperimentConfig
from kfer.structures import Batch, Noise

MEMORY_BUDGET = 2 << 30  # bytes of shards

# Streams of randomness of one seed.
_ORDER, _AUGMENT, _ENCODER, _DECODER, _DROPOUT = range(5)


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
        a changed shard, or a batch size that the replicas don't divide.
    """
    columns = labels.training_columns(dataset, config.tasks, split)
    share = _share(input_context, config.batch_size)
    clip = config.recipe.clip_continuous
    plan = storage.Plan(
        batch_size=config.batch_size,
        steps_per_epoch=steps_per_epoch(dataset, config, split),
        start_step=start_step,
        shuffle=config.recipe.shuffle,
        seed=functools.partial(_seed, config.seed, _ORDER),
        **share.rows(),
    )
    rows, read = storage.training_rows(dataset, split, columns, plan, memory_budget)

    @storage.plain
    def batch(step: tf.Tensor, positions: tf.Tensor, content: tf.Tensor) -> Batch:
        features = read(content)
        value, mask = labels.training_labels(features, config.tasks, columns, clip)
        raw = decoding.pictures(features, dataset, config.image_size)
        return Batch(
            image=_augmented(raw, config, step, share),
            labels=value,
            mask=mask,
            noise=_noise(config, step, share),
            index=positions,
            crowd=labels.training_crowds(features, config.tasks, columns),
        )

    batches = rows.map(batch, tf.data.AUTOTUNE, deterministic=True)
    return _with_options(_by_replica(batches, share))


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
      [-1, 1]; int32 [B] or float32 [B, D], 0 where missing; float32 [B] of 0 and 1.

    Raises:
      UserError: the split has no target, or no label, of any task.
    """
    columns = labels.compared_columns(dataset, config.tasks, split, against)

    @storage.plain
    def batch(serialized: tf.Tensor) -> tuple[Any, ...]:
        features = labels.parse(serialized, columns)
        value, mask = {}, {}
        for name, column in columns.items():
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


@dataclasses.dataclass(frozen=True)
class _Share:
    """Rows begin..end of the global batch of `total` rows, for `replicas` replicas."""

    begin: int
    end: int
    total: int
    replicas: int

    def rows(self) -> dict[str, int]:
        """Of the global batch, as storage.Plan takes them."""
        return {"begin": self.begin, "end": self.end}


def _share(context: tf.distribute.InputContext | None, batch_size: int) -> _Share:
    pipelines = context.num_input_pipelines if context else 1
    replicas = max(context.num_replicas_in_sync if context else 1, pipelines)
    if batch_size % replicas or replicas % pipelines:
        raise UserError(
            f"batch_size {batch_size} is not a multiple of the {replicas} replicas on "
            f"{pipelines} workers; choose one that is"
        )
    size = batch_size // pipelines
    begin = size * (context.input_pipeline_id if context else 0)
    return _Share(begin, begin + size, batch_size, replicas // pipelines)


def _seed(seed: int, stream: int, position: tf.Tensor) -> tf.Tensor:
    """int32 [2] for one stream of randomness at an epoch or a step."""
    start = tf.constant([seed & 0x7FFFFFFF, stream], tf.int32)
    return tf.random.experimental.stateless_fold_in(start, tf.cast(position, tf.int32))


def _augmented(
    pictures: tf.Tensor, config: ExperimentConfig, step: tf.Tensor, share: _Share
) -> tf.Tensor:
    """The share's pictures in [-1, 1], warped as the config says."""
    transforms = augment.random_transforms(
        config.augmentation,
        _seed(config.seed, _AUGMENT, step),
        share.total,
        config.image_size,
        config.recipe,
    )
    if transforms is not None:
        # Shifts by whole pixels need no interpolation.
        face = config.augmentation == "face"
        interpolation = config.recipe.augment_interpolation if face else "nearest"
        mine = transforms[share.begin : share.end]
        pictures = augment.apply(pictures, mine, interpolation)
    return augment.normalise(pictures, config.recipe.channel_order)


def _noise(config: ExperimentConfig, step: tf.Tensor, share: _Share) -> Noise:
    def draw(function: Callable, stream: int, width: int) -> tf.Tensor:
        drawn = function([share.total, width], _seed(config.seed, stream, step))
        return drawn[share.begin : share.end]

    normal, uniform = tf.random.stateless_normal, tf.random.stateless_uniform
    return Noise(
        y0_encoder=draw(normal, _ENCODER, config.noise_size),
        y0_decoder=draw(normal, _DECODER, config.noise_size),
        dropout=draw(uniform, _DROPOUT, 2 * config.channels(config.embedding_size)),
    )


def _by_replica(batches: tf.data.Dataset, share: _Share) -> tf.data.Dataset:
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

"""Records in training order: a function of the seed and the step alone."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from kfer.data import labels
from kfer.data.dataset import Dataset
from kfer.data.record import Column
from kfer.errors import UserError

SHUFFLE_WINDOW = 16384  # records at most, where a split is not held in memory
SHARDS_AT_ONCE = 4
RECORDS_A_TURN = 16

Features = dict[str, tf.Tensor]
plain = tf.autograph.experimental.do_not_convert  # nothing here needs converting


@dataclasses.dataclass(frozen=True)
class Plan:
    """Which records make which global batch.

    Attributes:
      batch_size: global.
      steps_per_epoch: whole batches in the split.
      start_step: the first step that is wanted.
      shuffle: else every epoch has the stored order.
      seed: epoch (int64 scalar) -> int32 [2], the seed of its order.
      begin, end: the rows of every global batch that are wanted.
    """

    batch_size: int
    steps_per_epoch: int
    start_step: int
    shuffle: bool
    seed: Callable[[tf.Tensor], tf.Tensor]
    begin: int
    end: int

    def order(self, count: int, epoch: tf.Tensor) -> tf.Tensor:
        """int64 [count]: a permutation of 0..count - 1 for this epoch."""
        positions = tf.range(count, dtype=tf.int64)
        if not self.shuffle:
            return positions
        return tf.random.experimental.stateless_shuffle(positions, self.seed(epoch))


def training_rows(
    dataset: Dataset,
    split: str,
    columns: Mapping[str, Column],
    plan: Plan,
    memory_budget: int,
) -> tuple[tf.data.Dataset, Callable[[tf.Tensor], Features]]:
    """Endless rows of the planned batches, and the function that reads them.

    The split is read into memory if its shards have at most `memory_budget` bytes; then
    an epoch is a permutation of all. Else the order of the shards is drawn, several are
    read in turn, and the records are shuffled window by window.

    Returns:
      A dataset of (step int64, positions int64 [b], rows [b]) with b = end - begin, and
      the function from `rows` to features [b, ...], to be mapped in parallel.
    """
    num_bytes = sum(shard.num_bytes for shard in dataset.split(split).shards)
    if num_bytes <= memory_budget:
        table = read_all(dataset, split, columns)
        count = dataset.split(split).num_records
        return _endless(lambda epoch: _permuted(plan, count, epoch), plan), (
            lambda rows: {name: tf.gather(all_, rows) for name, all_ in table.items()}
        )
    shards = _Shards(dataset, split)
    return _endless(lambda epoch: _streamed(plan, shards, epoch), plan), (
        lambda rows: labels.parse(rows, columns)
    )


def _endless(one_epoch: Callable, plan: Plan) -> tf.data.Dataset:
    first, done = divmod(plan.start_step, plan.steps_per_epoch)

    @plain
    def steps(epoch: tf.Tensor) -> tf.data.Dataset:
        begin = epoch * plan.steps_per_epoch
        numbers = tf.data.Dataset.range(begin, begin + plan.steps_per_epoch)
        rows = tf.data.Dataset.zip((numbers, one_epoch(epoch)))
        skipped = tf.where(tf.equal(epoch, first), tf.constant(done, tf.int64), 0)
        return rows.skip(skipped).map(lambda step, row: (step, *row))

    epochs = tf.data.Dataset.range(first, tf.int64.max)
    return epochs.flat_map(steps).apply(
        tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
    )


def _permuted(plan: Plan, count: int, epoch: tf.Tensor) -> tf.data.Dataset:
    used = plan.steps_per_epoch * plan.batch_size
    order = plan.order(count, epoch)[:used]
    batches = tf.reshape(order, [plan.steps_per_epoch, plan.batch_size])
    mine = batches[:, plan.begin : plan.end]
    return tf.data.Dataset.from_tensor_slices((mine, mine))


class _Shards:
    """Paths of a split's shards, and the position at which each begins and ends."""

    def __init__(self, dataset: Dataset, split: str):
        counts = [shard.num_records for shard in dataset.split(split).shards]
        ends = np.cumsum(counts)
        self.count = len(counts)
        self.num_records = int(ends[-1])
        self._paths = dataset.files(split)
        self._begins, self._ends = ends - counts, ends

    def rows(self, shard: tf.Tensor) -> tf.data.Dataset:
        """(position, serialized record) of one shard."""
        # Made here, in the function's graph, so never on a GPU.
        begin, end, path = (
            tf.constant(table)[shard]
            for table in (self._begins, self._ends, self._paths)
        )
        positions = tf.data.Dataset.range(begin, end)
        records = tf.data.TFRecordDataset(path)
        return tf.data.Dataset.zip((positions, records))


def _streamed(plan: Plan, shards: _Shards, epoch: tf.Tensor) -> tf.data.Dataset:
    order = tf.data.Dataset.from_tensor_slices(plan.order(shards.count, epoch))
    rows = order.interleave(
        shards.rows,
        cycle_length=SHARDS_AT_ONCE if plan.shuffle else 1,
        block_length=RECORDS_A_TURN,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    if plan.shuffle:
        batches = _shuffled_windows(plan, rows, plan.seed(epoch))
    else:
        batches = rows.batch(plan.batch_size, drop_remainder=True)
    mine = slice(plan.begin, plan.end)
    return batches.map(lambda positions, records: (positions[mine], records[mine]))


def _shuffled_windows(
    plan: Plan, rows: tf.data.Dataset, seed: tf.Tensor
) -> tf.data.Dataset:
    """Batches of rows, each window of rows shuffled by itself.

    Dataset.shuffle would mix the process's global seed into the order.
    """
    size = plan.batch_size
    window = max(1, SHUFFLE_WINDOW // size) * size

    @plain
    def batches(number: tf.Tensor, window_rows: tuple) -> tf.data.Dataset:
        positions, records = window_rows
        fold = tf.random.experimental.stateless_fold_in(seed, tf.cast(number, tf.int32))
        order = tf.random.experimental.stateless_shuffle(
            tf.range(tf.size(positions)), fold
        )
        used = order[: tf.size(order) // size * size]
        return tf.data.Dataset.from_tensor_slices(
            tuple(
                tf.reshape(tf.gather(values, used), [-1, size])
                for values in (positions, records)
            )
        )

    return rows.batch(window).enumerate().prefetch(1).flat_map(batches)


def read_all(dataset: Dataset, split: str, columns: Mapping[str, Column]) -> Features:
    """The parsed features of a whole split, each [N, ...].

    Raises:
      UserError: a shard is damaged or a label is out of range.
    """
    count = dataset.split(split).num_records
    records = tf.data.TFRecordDataset(dataset.files(split)).batch(4096)
    parsed = records.map(plain(functools.partial(labels.parse, columns=columns)))
    try:
        features = next(iter(parsed.unbatch().batch(count + 1)))
    except (tf.errors.OpError, UnicodeDecodeError) as error:
        # A message that quotes a broken record may be no text.
        reason = str(getattr(error, "message", "a broken record")).splitlines()[0]
        raise UserError(
            f"{split} in {dataset.root} can't be read ({reason}); prepare the data set "
            "again"
        ) from error
    found = len(features["image/encoded"])
    if found != count:
        raise UserError(
            f"{split} in {dataset.root} has {found} records, dataset.json says "
            f"{count}; prepare the data set again"
        )
    return features

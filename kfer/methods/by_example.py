"""What a method holds of each example of the training split, and its epochs."""

import tensorflow as tf

from kfer.errors import UserError
from kfer.losses import reduction
from kfer.settings.config import ExperimentConfig

# Of a method that does.
UNMIXED = "keeps something for each picture, which mixed pictures have none of"


def num_examples(config: ExperimentConfig) -> int:
    """The size of the training split.

    Raises:
      UserError: the config doesn't say it; training fills it in.
    """
    if not config.options.num_examples:
        raise UserError(
            f"{config.method} needs num_examples, the size of the training split"
        )
    return config.options.num_examples


def steps_per_epoch(config: ExperimentConfig) -> int:
    """Steps that see every example about once, at least one.

    Raises:
      UserError: see num_examples.
    """
    return max(1, num_examples(config) // config.batch_size)


def move_means(
    table: tf.Variable, index: tf.Tensor, rows: tf.Tensor, momentum: float
) -> tf.Tensor:
    """Moves a batch's rows of a table of running means, on every replica.

    Args:
      table: [N, K], a row for each example.
      index: [B] int64, whose rows.
      rows: [B, K], seen now.
      momentum: what the rows so far keep.

    Returns:
      [B, K] the new rows of this replica.
    """
    moved = momentum * tf.gather(table, index) + (1.0 - momentum) * rows
    # Every replica writes the rows of all, so that the copies stay the same.
    table.scatter_update(
        tf.IndexedSlices(reduction.gather(moved), reduction.gather(index))
    )
    return moved

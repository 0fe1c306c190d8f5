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


def check_pictures(config: ExperimentConfig, count: int) -> None:
    """Raises UserError if the method was made for another number of pictures."""
    made_for = getattr(config.options, "num_examples", 0)
    if made_for and count != made_for:
        raise UserError(
            f"Method {config.method!r} was made for {made_for} pictures, got {count}; "
            "set num_examples of its options"
        )


def check_batch(config: ExperimentConfig, size: int) -> None:
    """Raises UserError if batches aren't of the size that epochs are counted by."""
    if size != config.batch_size:
        raise UserError(
            f"Method {config.method!r} counts its epochs by the config's batch_size "
            f"{config.batch_size}, got batch_size {size}; leave it out, or make the "
            "config with it"
        )


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

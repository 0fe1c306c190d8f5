"""Checkpoints that survive a kill, a full disk and a damaged file."""

import os
import re
from typing import Any

import tensorflow as tf
from absl import logging

from kfer.errors import UserError

FOLDER = "checkpoints"
_COUNTS = "update_counts"
_NAME = re.compile(r"^step-(\d+)\.index$")


def name_of(step: int) -> str:
    """What the files of a step's checkpoint begin with."""
    return f"step-{step:08d}"


class Checkpoints:
    """All that a training step depends on: weights, u, both optimizers, the step.

    Order, augmentation and noise are functions of the step, so it is the data position.

    Args:
      method: compiled and built (Method.build_all).
      run_dir: the run's folder.
      keep: how many to keep.
    """

    def __init__(self, method: Any, run_dir: str, keep: int = 3):
        self.folder = os.path.join(run_dir, FOLDER)
        self.keep = keep
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        parts = {"method": method, "step": self.step}
        self.optimizers = _counting(method)
        counts = [optimizer.update_counts for optimizer in self.optimizers]
        self.without_counts = tf.train.Checkpoint(**parts)
        self.tracked = tf.train.Checkpoint(**parts, **{_COUNTS: counts})

    def steps(self) -> list[int]:
        """Steps that have a checkpoint, newest first."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        found = [int(match[1]) for match in map(_NAME.match, names) if match]
        return sorted(found, reverse=True)

    def save(self, step: int) -> None:
        """Writes the checkpoint of `step`, then drops the oldest beyond `keep`.

        Raises:
          UserError: the disk refused; older checkpoints are left as they were.
        """
        self.step.assign(step)
        prefix = self._prefix(step)
        try:
            os.makedirs(self.folder, exist_ok=True)
            self.tracked.write(prefix)
        except (OSError, tf.errors.OpError) as error:
            self._remove(step)
            kept = self.steps()
            last = f"the last good one is step {kept[0]}" if kept else "it is the first"
            reason = str(error).splitlines()[0]
            raise UserError(
                f"Writing the checkpoint of step {step} to {self.folder} failed: "
                f"{reason}; {last}. Free space, then run the same "
                "command again"
            ) from error
        for old in self.steps()[self.keep :]:
            self._remove(old)

    def restore(self, step: int = 0) -> int:
        """Loads the newest checkpoint that can be read.

        Args:
          step: only the checkpoint of this step will do; 0 for any.

        Returns:
          Its step, or 0 if there is none.

        Raises:
          UserError: there are checkpoints but none can be read.
        """
        damaged = []
        for saved in [step] if step else self.steps():
            try:
                self._read(self._prefix(saved))
                return int(self.step)
            except (tf.errors.OpError, ValueError, IndexError, AssertionError) as error:
                logging.warning(
                    "Skipped the checkpoint of step %d: %s",
                    saved,
                    str(error).splitlines()[0],
                )
                damaged.append(saved)
        if damaged:
            raise UserError(
                f"None of the checkpoints in {self.folder} (steps {damaged}) can be "
                "read; remove the folder to start again"
            )
        return 0

    def _read(self, prefix: str) -> None:
        found = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
        if not self.optimizers or any(key.startswith(f"{_COUNTS}/") for key in found):
            self.tracked.read(prefix).assert_existing_objects_matched()
            return
        # Of an earlier version, whose Adam counted one step for all variables.
        self.without_counts.read(prefix).assert_existing_objects_matched()
        for optimizer in self.optimizers:
            counts = optimizer.update_counts
            counts.assign(tf.fill(counts.shape, optimizer.iterations))

    def _prefix(self, step: int) -> str:
        return os.path.join(self.folder, name_of(step))

    def _remove(self, step: int) -> None:
        for path in tf.io.gfile.glob(self._prefix(step) + "*"):
            tf.io.gfile.rmtree(path) if os.path.isdir(path) else os.remove(path)


def _counting(method: Any) -> list[Any]:
    """The method's built optimizers that count the steps of each variable."""
    given = (
        getattr(method, f"{name}_optimizer", None)
        for name in ("generator", "discriminator", "decoder")
    )
    inner = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer in given]
    return [optimizer for optimizer in inner if hasattr(optimizer, "update_counts")]


def restore_model(method: Any, run_dir: str, step: int = 0) -> int:
    """Loads a run's checkpoint into a built method; returns its step.

    Args:
      method: compiled and built.
      run_dir: the run's folder.
      step: of the checkpoint; 0 for the newest that can be read.

    Raises:
      UserError: the run has no checkpoint, or none of that step that can be read.
    """
    found = Checkpoints(method, run_dir)
    if step and step not in found.steps():
        raise UserError(
            f"{run_dir} has no checkpoint of step {step}; it has "
            f"{sorted(found.steps()) or 'none'}"
        )
    restored = found.restore(step)
    if not restored:
        raise UserError(f"{run_dir} has no checkpoint yet; train it with kfer-train")
    return restored

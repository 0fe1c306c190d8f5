"""What happens beside the steps: progress, evaluation, checkpoints, pictures."""

import contextlib
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
import tqdm
from absl import logging
from tensorflow import keras

from kfer.errors import DivergedError, UserError
from kfer.metrics import suite
from kfer.models import flops
from kfer.settings.config import ExperimentConfig
from kfer.storage import staging
from kfer.training import averaging, run_folder
from kfer.training.checkpoints import Checkpoints

# The row before the first.
_NOTHING = {"step": 0, "total_seconds": 0.0, "pflop": 0.0}


class StepCounter(keras.callbacks.Callback):
    """Knows the global step; first in the list, so that the others can ask it."""

    def __init__(self, start: int):
        super().__init__()
        self.step = start

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.first = self.step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Several steps end at once with steps_per_execution; `batch` is the last.
        self.step = self.first + batch + 1


class Progress(keras.callbacks.Callback):
    """A bar with loss, adversarial loss, accuracy, images/s and the time left."""

    def __init__(self, counter: StepCounter, total: int, batch_size: int, label: str):
        super().__init__()
        self.counter = counter
        self.batch_size = batch_size
        self.bar = tqdm.tqdm(
            desc=label,
            total=total * batch_size,
            initial=counter.step * batch_size,
            unit=" images",
            unit_scale=True,
            disable=None,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        accuracies = [v for k, v in logs.items() if k.endswith("/accuracy")]
        shown = {"loss": logs["loss"]}
        if "gan_loss" in logs:
            shown["gan"] = logs["gan_loss"]
        if accuracies:
            shown["accuracy"] = sum(accuracies) / len(accuracies)
        text = {name: f"{float(value):.3f}" for name, value in shown.items()}
        self.bar.set_postfix(text, refresh=False)
        self.bar.update(self.counter.step * self.batch_size - self.bar.n)

    def close(self) -> None:
        """Leaves the bar as it is."""
        self.bar.close()


class Divergence(keras.callbacks.Callback):
    """Ends a run whose losses are no numbers any more, before it is saved.

    Args:
      counter: of steps.
      checkpoints: the run's.
      config: of the run.
    """

    def __init__(
        self, counter: StepCounter, checkpoints: Checkpoints, config: ExperimentConfig
    ):
        super().__init__()
        self.counter, self.checkpoints, self.config = counter, checkpoints, config

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # The total is named only where none of its parts is to blame.
        names = [*(name for name in logs if name != "loss"), "loss"]
        for name in names:
            if not math.isfinite(logs[name]):
                self._stop(f"{name} is {float(logs[name])}", name)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        # Weights spoilt by the last step would show in the next step's loss alone.
        for variable in self.model.variables:
            if variable.dtype.is_floating and not np.isfinite(variable.numpy()).all():
                self._stop(f"{variable.name} is not finite", variable.name)

    def _stop(self, found: str, name: str) -> None:
        raise diverged(found, name, self.counter.step, self.checkpoints, self.config)


def diverged(
    found: str, name: str, step: int, checkpoints: Checkpoints, config: ExperimentConfig
) -> UserError:
    """What to say of a run whose numbers are none any more.

    Args:
      found: what is no number.
      name: of the loss or variable.
      step: of training.
      checkpoints, config: of the run.
    """
    kept = checkpoints.steps()
    rates = f"--learning_rate (now {config.learning_rate:g})"
    if name in ("gan_loss", "discriminator_loss"):
        rates += f", or --lambda_gan (now {config.lambda_gan:g})"
    return UserError(
        f"Training diverged: {found} at step {step}; lower {rates} in a new --out_dir; "
        f"the last good checkpoint is {f'step {kept[0]}' if kept else 'none'}"
    )


class Recorder(keras.callbacks.Callback):
    """At the end of each stretch: evaluates, keeps a checkpoint, writes the curves.

    Args:
      counter: of steps.
      run_dir: the run's folder.
      checkpoints: to save with.
      steps_per_epoch: of the data.
      total: steps of the whole run.
      config: of the run.
      evaluate: () -> target -> scores on the clean test split.
      draw: step -> path of a sample picture, or None without a decoder.
    """

    def __init__(
        self,
        counter: StepCounter,
        run_dir: str,
        checkpoints: Checkpoints,
        steps_per_epoch: int,
        total: int,
        config: ExperimentConfig,
        evaluate: Callable[[], dict[str, Any]],
        draw: Callable[[int], str | None],
    ):
        super().__init__()
        self.counter, self.run_dir, self.checkpoints = counter, run_dir, checkpoints
        self.steps_per_epoch, self.total, self.config = steps_per_epoch, total, config
        self.evaluate, self.draw = evaluate, draw
        self.doubted: set[str] = set()
        # What a killed run noted after its last checkpoint happens again.
        self.rows = run_folder.read_history(run_dir, counter.step)
        self.writer = tf.summary.create_file_writer(
            os.path.join(run_dir, "tensorboard")
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began, self.first = time.perf_counter(), self.counter.step

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        step, seconds = self.counter.step, time.perf_counter() - self.began
        images = (step - self.first) * self.config.batch_size
        with averaging.answering(self.model):
            test, picture = self._evaluated(step), self.draw(step)
        row = {
            "step": step,
            "epoch": step / self.steps_per_epoch,
            "seconds": seconds,
            **self._totals(seconds, images),
            "images_per_second": images / seconds,
            "train": {name: float(value) for name, value in logs.items()},
            "test": test,
        }
        self.rows.append(row)
        logging.info("%s", self._line(row))
        self._doubt(step)
        self._summarise(row, picture)
        # The checkpoint last: its step is where a killed run goes on.
        run_folder.write_history(self.run_dir, self.rows)
        self.checkpoints.save(step)
        staging.deliver_early(self.run_dir)

    def _evaluated(self, step: int) -> dict[str, Any]:
        try:
            return self.evaluate()
        except DivergedError as error:
            # Finite weights may still be too large for their products.
            found = "answers are not finite"
            raise diverged(found, "", step, self.checkpoints, self.config) from error

    def _doubt(self, step: int) -> None:
        for subject, line in self.model.doubts().items():
            if subject not in self.doubted:
                logging.warning("step %d: %s", step, line)
                self.doubted.add(subject)

    def _totals(self, seconds: float, images: int) -> dict[str, float | None]:
        """Seconds and PFLOP of training so far; None where an earlier row has none, or
        the history doesn't reach to where this stretch began."""
        cost = flops.training_flops(self.config, images, self.model.warmup) / 1e15
        totals: dict[str, float | None] = {}
        last = self.rows[-1] if self.rows else _NOTHING
        known = last["step"] == self.first
        for name, value in (("total_seconds", seconds), ("pflop", cost)):
            before = last.get(name) if known else None
            totals[name] = None if before is None else before + value
        return totals

    def _line(self, row: dict[str, Any]) -> str:
        """An evaluation in one line, for where the bar isn't shown."""
        left = (self.total - row["step"]) * self.config.batch_size
        words = [f"step {row['step']} of {self.total}"]
        words += [f"loss {row['train']['loss']:.3f}"]
        if row["test"]:
            words += [suite.summary_line(row["test"])]
        words += [f"{row['images_per_second']:.0f} images/s"]
        if row["pflop"] is not None:
            words += [f"{row['pflop']:.3g} PFLOP"]
        return ", ".join(words) + f"; {left / row['images_per_second']:.0f} s left"

    def _summarise(self, row: dict[str, Any], picture: str | None) -> None:
        with self.writer.as_default(step=row["step"]):
            for name, value in row["train"].items():
                tf.summary.scalar(f"train/{name}", value)
            for target, scores in row["test"].items():
                for name, value in scores.items():
                    if isinstance(value, float):
                        tf.summary.scalar(f"test/{target}/{name}", value)
            if picture:
                pixels = tf.io.decode_png(tf.io.read_file(picture), channels=3)
                tf.summary.image("samples", pixels[None])
        self.writer.flush()


class StopOnSignal(keras.callbacks.Callback):
    """On SIGTERM ends the stretch after the step at hand, which is then saved."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Takes SIGTERM inside, whatever ends the block; then it is as it was."""
        before = signal.signal(signal.SIGTERM, self._stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.stopped:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.on_train_batch_end(-1)

    def _stop(self, *_: Any) -> None:
        self.stopped = True

"""What happens beside the steps: progress, evaluation, checkpoints, pictures."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tqdm

from kfer.training import run_folder
from kfer.training.checkpoints import Checkpoints


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


class Recorder(keras.callbacks.Callback):
    """At the end of each stretch: evaluates, keeps a checkpoint, writes the curves.

    Args:
      counter: of steps.
      run_dir: the run's folder.
      checkpoints: to save with.
      steps_per_epoch: of the data.
      batch_size: of a step.
      evaluate: () -> target -> scores on the clean test split.
      draw: step -> path of a sample picture, or None without a decoder.
    """

    def __init__(
        self,
        counter: StepCounter,
        run_dir: str,
        checkpoints: Checkpoints,
        steps_per_epoch: int,
        batch_size: int,
        evaluate: Callable[[], dict[str, Any]],
        draw: Callable[[int], str | None],
    ):
        super().__init__()
        self.counter, self.run_dir, self.checkpoints = counter, run_dir, checkpoints
        self.steps_per_epoch, self.batch_size = steps_per_epoch, batch_size
        self.evaluate, self.draw = evaluate, draw
        # What a killed run noted after its last checkpoint happens again.
        self.rows = run_folder.read_history(run_dir, counter.step)
        self.writer = tf.summary.create_file_writer(
            os.path.join(run_dir, "tensorboard")
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began, self.first = time.perf_counter(), self.counter.step

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        step, seconds = self.counter.step, time.perf_counter() - self.began
        row = {
            "step": step,
            "epoch": step / self.steps_per_epoch,
            "seconds": seconds,
            "images_per_second": (step - self.first) * self.batch_size / seconds,
            "train": {name: float(value) for name, value in logs.items()},
            "test": self.evaluate(),
        }
        self.rows.append(row)
        self._summarise(row, self.draw(step))
        # The checkpoint last: its step is where a killed run goes on.
        run_folder.write_history(self.run_dir, self.rows)
        self.checkpoints.save(step)

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

    def on_train_begin(self, logs: Any = None) -> None:
        self.before = signal.signal(signal.SIGTERM, self._stop)

    def on_train_end(self, logs: Any = None) -> None:
        signal.signal(signal.SIGTERM, self.before)

    def _stop(self, *_: Any) -> None:
        self.stopped = True
        self.model.stop_training = True

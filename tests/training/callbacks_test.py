"""What a run does beside its steps, on a model that learns nothing."""

import os
import signal
import types

import pytest
import tensorflow as tf

from kfer.errors import DivergedError, UserError
from kfer.training import callbacks, run_folder
from tests import runs


class Saves:
    """Checkpoints that are noted alone."""

    def __init__(self, *steps):
        self.kept = list(steps)

    def save(self, step):
        self.kept.insert(0, step)

    def steps(self):
        return self.kept


@pytest.fixture
def counter():
    counter = callbacks.StepCounter(4)
    counter.on_epoch_begin(0)
    return counter


def model():
    variable = tf.Variable([1.0, 2.0], name="weight")
    return types.SimpleNamespace(variables=[variable], warmup=False, doubts=dict)


class TestDivergence:
    def watch(self, counter, *steps, **fields):
        config = runs.config(learning_rate=0.5, **fields)
        found = callbacks.Divergence(counter, Saves(*steps), config)
        found.set_model(model())
        return found

    def test_names_the_part_the_step_and_what_to_lower(self, counter):
        counter.on_train_batch_end(2)
        logs = {"loss": float("nan"), "annotator_1/cross_entropy": float("nan")}
        with pytest.raises(UserError) as error:
            self.watch(counter, 4, 2).on_train_batch_end(2, logs)
        assert str(error.value) == (
            "Training diverged: annotator_1/cross_entropy is nan at step 7; lower "
            "--learning_rate (now 0.5) in a new --out_dir; the last good checkpoint is "
            "step 4"
        )

    def test_the_game_s_weight_too_where_the_game_is_to_blame(self, counter):
        logs = {"loss": float("inf"), "gan_loss": float("inf")}
        with pytest.raises(UserError, match=r"gan_loss is inf.*--lambda_gan \(now 0.4"):
            self.watch(counter, lambda_gan=0.4).on_train_batch_end(0, logs)

    def test_the_total_where_no_part_is(self, counter):
        logs = {"loss": float("nan"), "a": 1.0}
        with pytest.raises(UserError, match="diverged: loss is nan.*point is none"):
            self.watch(counter).on_train_batch_end(0, logs)

    def test_weights_are_looked_at_before_they_are_saved(self, counter):
        watch = self.watch(counter)
        watch.on_train_batch_end(0, {"loss": 1.0})
        watch.on_epoch_end(0)
        watch.model.variables[0].assign([1.0, float("inf")])
        with pytest.raises(UserError, match="weight:0 is not finite at step"):
            watch.on_epoch_end(0)


class TestRecorder:
    def recorder(self, counter, run_dir, method="vgg_all", begun=True):
        if begun:
            took = {"total_seconds": 0.0, "pflop": 0.0}
            run_folder.write_history(run_dir, [{"step": counter.step, **took}])
        config = runs.config(method=method, batch_size=8)
        found = callbacks.Recorder(
            counter, run_dir, Saves(), 3, 20, config, dict, lambda step: None
        )
        found.set_model(model())
        return found

    def stretch(self, counter, recorder, steps):
        counter.on_epoch_begin(0)
        recorder.on_epoch_begin(0)
        counter.on_train_batch_end(steps - 1)
        recorder.on_epoch_end(0, {"loss": 2.0})

    def test_rows_hold_what_training_took_so_far(self, counter, tmp_path):
        recorder = self.recorder(counter, str(tmp_path))
        for steps in (2, 3):
            self.stretch(counter, recorder, steps)
        _, first, second = run_folder.read_history(str(tmp_path))
        assert (first["step"], second["step"]) == (6, 9)
        # 2 steps, then 5 in all
        assert second["pflop"] == pytest.approx(2.5 * first["pflop"])
        assert first["pflop"] > 0
        seconds = first["seconds"] + second["seconds"]
        assert second["total_seconds"] == pytest.approx(seconds)
        assert recorder.checkpoints.kept == [9, 6]

    def test_a_step_of_the_game_counts_for_more(self, counter, tmp_path):
        """Equal steps of warm-up and game are not equal compute: finding 5 of
        docs/design/game.md."""
        recorder = self.recorder(counter, str(tmp_path), method="joint")
        recorder.model.warmup = True
        self.stretch(counter, recorder, 3)
        recorder.model.warmup = False
        self.stretch(counter, recorder, 3)
        _, *rows = run_folder.read_history(str(tmp_path))
        warm, both = (row["pflop"] for row in rows)
        assert both - warm > 3 * warm

    def test_a_lost_history_leaves_what_training_took_unknown(self, counter, tmp_path):
        recorder = self.recorder(counter, str(tmp_path), begun=False)
        for steps in (2, 3):
            self.stretch(counter, recorder, steps)
        for row in run_folder.read_history(str(tmp_path)):
            assert row["seconds"] > 0
            assert (row["total_seconds"], row["pflop"]) == (None, None)

    def test_a_new_run_counts_from_its_first_step(self, tmp_path):
        counter = callbacks.StepCounter(0)
        recorder = self.recorder(counter, str(tmp_path), begun=False)
        self.stretch(counter, recorder, 2)
        (row,) = run_folder.read_history(str(tmp_path))
        assert row["total_seconds"] == row["seconds"] and row["pflop"] > 0

    def test_a_doubt_about_annotators_is_said_once(self, counter, tmp_path, caplog):
        recorder = self.recorder(counter, str(tmp_path))
        digits = iter(("0.01", "0.02", "0.03"))
        recorder.model.doubts = lambda: {"mood/matrices": f"singular: {next(digits)}"}
        with caplog.at_level("WARNING", logger="absl"):
            for _ in range(2):
                self.stretch(counter, recorder, 1)
        said = [record.getMessage() for record in caplog.records]
        assert said == ["step 5: singular: 0.01"]

    def test_answers_that_are_no_numbers_end_the_run_unsaved(self, counter, tmp_path):
        recorder = self.recorder(counter, str(tmp_path))
        self.stretch(counter, recorder, 2)

        def overflown():
            raise DivergedError("16 predictions are not finite")

        recorder.evaluate = overflown
        with pytest.raises(UserError) as error:
            self.stretch(counter, recorder, 3)
        assert str(error.value) == (
            "Training diverged: answers are not finite at step 9; lower "
            "--learning_rate (now 0.0005) in a new --out_dir; the last good checkpoint "
            "is step 6"
        )
        assert recorder.checkpoints.kept == [6]
        assert [r["step"] for r in run_folder.read_history(str(tmp_path))] == [4, 6]

    def test_a_run_that_noted_none_has_none_later(self, counter, tmp_path):
        row = {"step": 4, "seconds": 2.0, "test": {}}
        run_folder.write_history(str(tmp_path), [row])
        recorder = self.recorder(counter, str(tmp_path), begun=False)
        self.stretch(counter, recorder, 2)
        assert run_folder.read_history(str(tmp_path))[-1]["pflop"] is None

    def test_a_line_for_where_the_bar_is_not_shown(self, counter, tmp_path):
        row = {
            "step": 10,
            "train": {"loss": 1.5},
            "test": {},
            "images_per_second": 4.0,
            "pflop": 0.25,
        }
        # 10 steps of 8 images at 4 a second
        assert self.recorder(counter, str(tmp_path))._line(row) == (
            "step 10 of 20, loss 1.500, 4 images/s, 0.25 PFLOP; 20 s left"
        )


class TestStopOnSignal:
    def test_a_signal_ends_training_after_the_step_at_hand(self):
        stop = callbacks.StopOnSignal()
        stop.set_model(types.SimpleNamespace(stop_training=False))
        with stop.listening():
            stop.on_train_batch_end(0)
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.stopped and not stop.model.stop_training
            stop.on_train_batch_end(1)
        assert stop.model.stop_training

    def test_a_signal_at_a_stretch_s_end_begins_no_other(self):
        stop = callbacks.StopOnSignal()
        stop.set_model(types.SimpleNamespace(stop_training=False))
        stop.stopped = True
        stop.on_epoch_end(0)
        assert stop.model.stop_training

    def test_a_training_that_fails_leaves_the_signal_as_it_was(self):
        before = signal.getsignal(signal.SIGTERM)
        with pytest.raises(ValueError, match="diverged"):
            with callbacks.StopOnSignal().listening():
                assert signal.getsignal(signal.SIGTERM) != before
                raise ValueError("diverged")
        assert signal.getsignal(signal.SIGTERM) == before

"""Runs: their stretches, what is scored, wrong inputs, a stop in the middle."""

import dataclasses
import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.methods.joint_distribution import JointDistribution
from kfer.settings.config import experiment_config
from kfer.settings.optimization import PLAIN
from kfer.training import compiling, loop, run_folder
from tests import runs
from tests.training.commands import command, history, weights


def test_stretches_cut_at_evaluations_warmup_and_start():
    assert loop.stretches(0, 10, 4, 0) == [
        (0, 4, False),
        (4, 8, False),
        (8, 10, False),
    ]
    assert loop.stretches(5, 10, 4, 6) == [
        (5, 6, True),
        (6, 8, False),
        (8, 10, False),
    ]
    assert loop.stretches(10, 10, 4, 0) == []


def test_stretches_that_are_alike_share_a_fit():
    # warm-up ends in the middle of the second stretch of 4 steps
    plan = [(0, 4, True), (4, 6, True), (6, 8, False), (8, 12, False), (12, 16, False)]
    assert loop.fits(plan) == [
        (4, 1, True),
        (2, 1, True),
        (2, 1, False),
        (4, 2, False),
    ]
    assert loop.fits([]) == []


@pytest.mark.parametrize("start_epoch, steps", [(-1, 0), (0, 3), (1, 6), (5, 18)])
def test_warmup_ends_where_the_first_adversarial_epoch_begins(start_epoch, steps):
    assert loop.warmup_steps(runs.config(gan_start_epoch=start_epoch), 3) == steps


def test_each_phase_is_traced_once(monkeypatch, tmp_path):
    """Batches of 7 of 24 pictures: an epoch is 3 steps, and 3 pictures are left over.

    Four stretches, the last one shorter: an epoch of warm-up, two epochs, two steps.
    """
    traces = []
    original = JointDistribution.train_step

    def counted(self, batch):
        traces.append((self.warmup, batch.image.shape[0]))
        return original(self, batch)

    monkeypatch.setattr(JointDistribution, "train_step", counted)
    config = runs.config(batch_size=7, gan_start_epoch=0, discriminator_steps=1)
    config = dataclasses.replace(config, tasks=config.tasks[:1])
    settings = loop.RunSettings(steps=11, evaluate=False)
    loop.train(config, runs.dataset(), str(tmp_path / "run"), settings)
    rows = run_folder.read_history(str(tmp_path / "run"))
    assert [row["step"] for row in rows] == [3, 6, 9, 11]
    assert traces == [(True, 7), (False, 7)]
    # Warm-up logs no discriminator loss: it lasts the first epoch and no step more.
    discriminates = [row["train"]["discriminator_loss"] > 0 for row in rows]
    assert discriminates == [False, True, True, True]


def test_going_on_with_another_schedule_is_one_line(tmp_path):
    config = runs.config(
        method="vgg_all", schedule="one_cycle", averaging="lookahead", lookahead_every=1
    )
    run_dir, settings = str(tmp_path / "run"), loop.RunSettings(steps=2)
    loop.train(config, runs.dataset(), run_dir, settings)
    assert run_folder.load_config(run_dir).optimization.total_steps == 2
    others = (
        (
            dataclasses.replace(config, optimization=PLAIN),
            settings,
            "schedule: one_cyc",
        ),
        (config, loop.RunSettings(steps=3), "optimization.total_steps: 2 -> 3"),
    )
    for other, how, told in others:
        with pytest.raises(UserError, match=told) as error:
            loop.train(other, runs.dataset(), run_dir, how)
        assert "\n" not in str(error.value)


def test_the_averages_are_scored_and_the_weights_go_on(tmp_path):
    """What the scorer sees at the end is what a restored run answers with."""
    config = runs.config(method="vgg_all", averaging="ema", learning_rate=0.01)
    run_dir, seen = str(tmp_path / "run"), []

    def scorer(method, dataset, config):
        def score():
            seen.append([v.numpy() for v in method.encoder.variables])
            return {}

        return score

    settings = loop.RunSettings(steps=4, eval_every=2)
    loop.train(config, runs.dataset(), run_dir, settings, scorer)
    method, _, _ = compiling.restored(run_dir)
    for answered, scored in zip(method.encoder.variables, seen[-1], strict=True):
        np.testing.assert_array_equal(answered, scored)
    other = str(tmp_path / "plain")
    plain = dataclasses.replace(config, optimization=PLAIN)
    loop.train(plain, runs.dataset(), other, settings)
    # The same steps are taken, whatever answers in between.
    found, expected = weights(run_dir, 4), weights(other, 4)
    kernels = [n for n in expected if n.startswith("method/encoder/convolutions")]
    assert kernels
    for name in kernels:
        np.testing.assert_array_equal(found[name], expected[name])
    assert not any(np.array_equal(seen[-1][0], found[name]) for name in kernels)


def test_rates_that_diverge_end_the_run_in_one_line(tmp_path):
    config = runs.config(method="vgg_all", optimizer="sgd", learning_rate=1e6)
    settings = loop.RunSettings(steps=9, eval_every=1, evaluate=False)
    run_dir, before = str(tmp_path / "run"), signal.getsignal(signal.SIGTERM)
    with pytest.raises(UserError, match="Training diverged") as error:
        loop.train(config, runs.dataset(), run_dir, settings)
    assert signal.getsignal(signal.SIGTERM) == before
    found = re.search(
        r" is (?:nan|-?inf|not finite) at step (\d); lower --learning_rate .now 1e\+06. "
        r"in a new --out_dir; the last good checkpoint is step (\d)$",
        str(error.value),
    )
    step, kept = map(int, found.groups())
    assert 1 <= kept < step <= kept + 1
    saved = weights(run_dir, kept)
    assert all(np.all(np.isfinite(v)) for v in saved.values())
    assert [row["step"] for row in history(run_dir)] == [*range(1, kept + 1)]
    assert not os.path.exists(os.path.join(run_dir, "metrics.json"))


@pytest.mark.parametrize(
    "fields, weights_file, text",
    (
        ({"backbone": "resnet51"}, "", "Unknown backbone 'resnet51'"),
        ({"backbone": "xception", "width": 1.0}, "", "'xception' does not fit 32 px"),
        ({"backbone": "compact_xs"}, "vgg.npz", "starts from no file of weights"),
        ({}, "/none/vgg.npz", "No weights file at /none/vgg.npz"),
    ),
)
def test_what_can_not_be_built_claims_no_folder(tmp_path, fields, weights_file, text):
    """So the same --out_dir takes the command once it is right."""
    config = experiment_config(
        "synthetic_faces", method="vgg_all", batch_size=8, **fields
    )
    settings = loop.RunSettings(steps=1, encoder_weights=weights_file)
    with pytest.raises(UserError, match=text) as error:
        loop.train(config, runs.dataset(), str(tmp_path / "run"), settings)
    assert "\n" not in str(error.value)
    assert not os.path.exists(tmp_path / "run")


def test_sigterm_saves_and_says_so(data_dir, tmp_path):
    run_dir = str(tmp_path / "run")
    process = subprocess.Popen(
        command(data_dir, run_dir, "--method=vgg_all", "--steps=100000")
    )
    first = os.path.join(run_dir, "checkpoints", "step-00000002.index")
    while not os.path.exists(first) and process.poll() is None:
        time.sleep(0.05)
    process.terminate()
    assert process.wait(timeout=120) == 143
    last = history(run_dir)[-1]["step"]
    assert os.path.exists(
        os.path.join(run_dir, "checkpoints", f"step-{last:08d}.index")
    )


def test_images_too_small(data_dir):
    config = experiment_config("synthetic_faces", image_size=64, batch_size=8)
    with pytest.raises(UserError, match="holds 32 px images.*asks for 64 px"):
        loop.check_inputs(config, dataset_lib.load(data_dir))


def test_batch_larger_than_the_data(data_dir):
    config = experiment_config("synthetic_faces", batch_size=64)
    with pytest.raises(UserError, match="batch_size 64 is more than the 32"):
        loop.check_inputs(config, dataset_lib.load(data_dir))

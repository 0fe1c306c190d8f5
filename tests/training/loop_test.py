"""A run from its command: results, going on after a kill, wrong inputs."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.methods.joint_distribution import JointDistribution
from kfer.settings.config import experiment_config
from kfer.settings.optimization import PLAIN
from kfer.training import compiling, loop, run_folder
from tests import runs

SMALL = (
    "--experiment=synthetic_faces",
    "--width=0.125",
    "--batch_size=8",
    "--steps=8",
    "--eval_every=2",
    "--deterministic",
    "--noexport",
    "--set=gan_start_epoch=0",
    "--set=noise_size=8",
    "--set=embedding_size=64",
)


def command(data_dir, out_dir, *flags):
    return [
        sys.executable,
        "-m",
        "kfer.bin.train_main",
        *SMALL,
        f"--data_dir={data_dir}",
        f"--out_dir={out_dir}",
        *flags,
    ]


def weights(run_dir, step=8):
    prefix = os.path.join(run_dir, "checkpoints", f"step-{step:08d}")
    reader = tf.train.load_checkpoint(prefix)
    names = reader.get_variable_to_shape_map()
    return {
        name: reader.get_tensor(name)
        for name in names
        if not name.startswith(("_CHECKPOINTABLE", "save_counter"))
    }


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


KILLED = {
    "kfer": ("--recipe=kfer",),
    "paper": ("--recipe=paper",),
    "fast": ("--optimization=fast", "--learning_rate=0.01"),
    "averaged": (
        "--averaging=ema",
        "--schedule=cosine",
        "--mixup=0.5",
        "--label_smoothing=0.1",
        "--weight_decay=0.01",
        "--set=decay_form=decoupled",
        "--set=cutout=8",
        "--test_averaging=flip",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("flags", KILLED.values(), ids=KILLED)
def test_a_killed_run_ends_with_the_same_bits(data_dir, tmp_path, flags):
    whole, killed = str(tmp_path / "whole"), str(tmp_path / "killed")
    subprocess.run(command(data_dir, whole, *flags), check=True)
    process = subprocess.Popen(command(data_dir, killed, *flags))
    # Two evaluations in, step 4: in the middle, whatever the machine's speed.
    first = os.path.join(killed, "checkpoints", "step-00000004.index")
    while not os.path.exists(first) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not os.path.exists(os.path.join(killed, "metrics.json"))
    subprocess.run(command(data_dir, killed, *flags), check=True)
    expected, found = weights(whole), weights(killed)
    assert expected.keys() == found.keys()
    different = [n for n in expected if not np.array_equal(expected[n], found[n])]
    assert different == []
    assert [row["step"] for row in history(killed)] == [2, 4, 6, 8]


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
    settings = loop.RunSettings(steps=9, eval_every=3, evaluate=False)
    with pytest.raises(
        UserError, match=r"diverged: .* at step \d; lower --learning_ra"
    ):
        loop.train(config, runs.dataset(), str(tmp_path / "run"), settings)
    assert not os.path.exists(tmp_path / "run" / "metrics.json")


def history(run_dir):
    with open(os.path.join(run_dir, "history.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


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

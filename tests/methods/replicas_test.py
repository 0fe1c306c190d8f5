"""One step with 1x8 and with 2x4 (replicas x batch): same losses, same variables.

The batch holds its noise, so dropout is on. Labels are missing unevenly: a replica may
have none of a task. With KFER_TEST_DEVICES=4 the same tests run with 4x2.
"""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods, tasks
from kfer.methods import METHODS, base
from tests.conftest import NUM_DEVICES
from tests.methods import toys
from tests.methods.replicas import (
    RATE,
    assert_equal_steps,
    even,
    missing,
    runner_pair,
    uneven,
    weights_of,
)

# They drop terms of 'joint' alone, and each takes seconds to build.
_SLOW = ("without_joint", "without_marginal", "without_gx", "joint_alone")


@pytest.fixture(scope="module")
def strategy(two_replicas):
    if NUM_DEVICES == 2:
        return two_replicas
    devices = [f"/cpu:{i}" for i in range(NUM_DEVICES)]
    return tf.distribute.MirroredStrategy(devices)


def case(tiny_config, strategy, **fields):
    settings = {"learning_rate": RATE, "dropout_rate": 0.3, **fields}
    return runner_pair(methods.resolve_tasks(tiny_config(**settings)), strategy)


@pytest.fixture(scope="module")
def joint_pair(tiny_config, strategy):
    pair = case(tiny_config, strategy)
    return pair, pair[0].values()


def with_recipe(joint_pair, run):
    """The pair at its start, doing as another config of the same networks says."""
    pair, start = joint_pair
    pair[0].assign(start)
    for runner in pair:
        runner.method.config = run
    return pair


@pytest.mark.slow
def test_joint_discriminator_first(joint_pair, tiny_config, make_batch):
    pair = with_recipe(joint_pair, tiny_config(learning_rate=RATE))
    assert pair[0].method.config.recipe.discriminator_steps == 2
    assert_equal_steps(pair, make_batch, [even(8), uneven(8)])


def test_joint_generator_first(joint_pair, tiny_config, make_batch):
    run = tiny_config("paper", learning_rate=RATE)
    assert run.recipe.update_order == "generator_first"
    assert_equal_steps(with_recipe(joint_pair, run), make_batch, [uneven(8)])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else [])
        for name, row in METHODS.items()
        if name not in ("joint", "kfer") and not row.kind
    ],
)
def test_every_other_method(tiny_config, strategy, make_batch, name):
    pair = case(tiny_config, strategy, method=name)
    assert_equal_steps(pair, make_batch, [even(8), uneven(8)])


@pytest.mark.slow
def test_other_choices(tiny_config, strategy, make_batch):
    pair = case(
        tiny_config,
        strategy,
        method="without_gx",
        ccc_variance="unbiased",
        shared_sigma=False,
        discriminator_steps=1,
    )
    assert_equal_steps(pair, make_batch, [even(8)])


def test_every_loss(tiny_config, strategy, make_batch):
    gaze = tasks.LabelTask("gaze", "continuous", dimensions=("x", "y"), loss="mse")
    label_tasks = (*tiny_config().tasks, gaze)
    assert {task.loss for task in label_tasks} == {
        loss for losses in tasks.LOSSES.values() for loss in losses
    }
    pair = case(
        tiny_config,
        strategy,
        method="vgg_all",
        tasks=label_tasks,
        ccc_variance="unbiased",
    )
    assert_equal_steps(pair, make_batch, [even(8), uneven(8), even(16)])


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, row in METHODS.items()
        if (row.kind or name == "kfer") and name != "joint_em"
    ]
    + [
        # D's convolutions round as joint_em's do, see the test below.
        pytest.param(name, marks=pytest.mark.slow)
        for name in toys.COMPOSED
        if not name.startswith("joint+")
    ],
)
def test_other_methods_on_a_stub(tiny_config, strategy, make_batch, monkeypatch, name):
    """Two label sets of classes and of values; what the methods add is not in nets."""
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    rows = (
        *tasks.annotator_tasks(2, ("a", "b", "c"), "class"),
        tasks.valence_arousal_task(),
        dataclasses.replace(tasks.valence_arousal_task(), name="gaze"),
    )
    options = toys.REPLICA_OPTIONS.get(name, {})
    pair = case(tiny_config, strategy, method=name, tasks=rows, **options)
    assert_equal_steps(pair, make_batch, [even(8), uneven(8)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ("joint_em", "joint+ltnet+sce"))
@pytest.mark.parametrize("sizes", (even(8), uneven(8)))
def test_under_the_whole_game(
    tiny_config, strategy, make_batch, monkeypatch, sizes, name
):
    """One step, from where no ReLU stands at its kink. The biases of D's first
    convolutions have gradients that are sums over 8,192 positions: on halves of eight
    batches they rounded to 5e-6 to 1.2e-5 of their size."""
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    options = {**toys.REPLICA_OPTIONS.get(name, {}), "method": name}
    assert_equal_steps(
        case(tiny_config, strategy, **options), make_batch, [sizes], 2e-5
    )


def test_the_mean_of_replicas_cccs_would_differ(tiny_config, strategy, make_batch):
    """What these tests would miss if CCC were no pooled quantity."""
    run = tiny_config(method="vgg_all")
    pair = runner_pair(run, strategy)
    batch = make_batch(run, 8)
    whole = pair[0].step(batch, [8])["valence_arousal/ccc"]
    pair[0].assign(pair[1].values())
    parts = []
    for rows in (slice(0, 4), slice(4, 8)):
        part = tf.nest.map_structure(lambda a, rows=rows: a[rows], batch)
        parts.append(pair[0].step(part, [4])["valence_arousal/ccc"])
        pair[0].assign(pair[1].values())
    assert abs(np.mean(parts) - whole) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ("kfer", "authors_2021"))
def test_in_a_graph_with_the_shipped_epsilon(tiny_config, strategy, make_batch, recipe):
    """As fit runs it. A sign may flip where a gradient is 0 but for rounding, so single
    values may differ by a step; the logged values and nearly all variables may not."""
    run = tiny_config(recipe, gan_start_epoch=-1)
    one, many = runner_pair(run, strategy, epsilon=run.epsilon)
    many.assign(one.values())
    batch = make_batch(run, 8, missing=missing(run, 0))
    for _ in range(3):
        logs = one.step(batch, [8], graph=True)
        for name, value in many.step(batch, even(8), graph=True).items():
            assert value == pytest.approx(logs[name], rel=1e-4, abs=1e-5), name
    first, second = one.values(), many.values()
    gaps = [np.ravel(np.abs(first[n] - second[n])) for n in weights_of(first)]
    gaps = np.concatenate(gaps)
    print(f"over 1e-7: {np.mean(gaps > 1e-7):.1e} of values, largest {gaps.max():.1e}")
    assert np.mean(gaps > 1e-6) < 1e-3
    assert gaps.max() < 2 * 2 * 3 * run.learning_rate
    assert not many.copies_differ()


@pytest.mark.slow
@pytest.mark.skipif(NUM_DEVICES != 2, reason="is what starts the run with 4 devices")
def test_four_replicas():
    """1x8 against 4x2, in a process of its own with four logical devices."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", __file__]
    done = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "KFER_TEST_DEVICES": "4"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def test_the_repaired_game(tiny_config, strategy, make_batch, monkeypatch):
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    pair = case(
        tiny_config,
        strategy,
        method="joint_em_without_gx",
        tasks=toys.class_tasks(2),
        discriminator_label_input="samples",
        joint_score="projection",
        labels_through_annotators=True,
        lambda_ratio=0.3,
        lambda_ramp_steps=2,
        **toys.REPLICA_OPTIONS["joint_em"],
    )
    for runner in pair:
        for matrices in [t.log_matrices for t in runner.method.truths.values()]:
            given = np.full(matrices.shape, 0.1) + 0.6 * np.eye(4)
            matrices.assign(np.log(given))
    assert_equal_steps(pair, make_batch, [even(8), uneven(8)])

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
from kfer.optimizers import Adam
from tests.conftest import NUM_DEVICES
from tests.methods import toys

# Rows without a label, step by step. With halves (0-3, 4-7), first the one replica has
# no class and the other no values; then all have some.
MISSING = (
    {"annotator_1": (0, 1, 2, 3, 5), "valence_arousal": (4, 5, 6, 7), "gaze": (1,)},
    {"annotator_1": (6,), "valence_arousal": (0, 1, 2), "gaze": (4, 5, 6, 7)},
)

# With the shipped epsilon of 1e-8 Adam's first steps are signs, also of gradients that
# are 0 but for rounding (a bias before a batch norm has none, say). This one is above
# the rounding, so that equality can be asked of every variable; the gradients' size
# shows in Adam's moments.
EPSILON = 1e-2
RATE = 1e-3


@pytest.fixture(scope="module")
def strategy(two_replicas):
    if NUM_DEVICES == 2:
        return two_replicas
    devices = [f"/cpu:{i}" for i in range(NUM_DEVICES)]
    return tf.distribute.MirroredStrategy(devices)


def even(size):
    return [size // NUM_DEVICES] * NUM_DEVICES


class Runner:
    """A method under a strategy, stepped from given values."""

    def __init__(self, run, strategy, epsilon):
        self.strategy = strategy
        tf.keras.utils.set_random_seed(0)
        with strategy.scope():
            self.method = methods.build(run)
            make = [lambda: Adam(run.learning_rate, epsilon=epsilon)] * 2
            self.method.compile(*(create() for create in make))
            self.method.build_all()
        metrics = {v.ref() for m in self.method.metrics for v in m.variables}
        self.variables = {
            f"{index} {v.name}": v
            for index, v in enumerate(self.method.variables)
            if v.ref() not in metrics
        }
        optimizers = [self.method.generator_optimizer]
        if self.method.has_warmup:
            optimizers.append(self.method.discriminator_optimizer)
        for index, optimizer in enumerate(optimizers):
            for number, slot in enumerate(optimizer.variables):
                self.variables[f"optimizer{index}/{slot.name} {number}"] = slot

    def values(self):
        return {name: v.numpy() for name, v in self.variables.items()}

    def assign(self, values):
        for name, variable in self.variables.items():
            variable.assign(values[name])

    def distribute(self, batch, sizes):
        ends = np.cumsum(sizes)
        parts = [
            tf.nest.map_structure(lambda a, i=i, n=n: tf.constant(a[i - n : i]), batch)
            for i, n in zip(ends, sizes)
        ]
        if len(parts) == 1:
            return parts[0]
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )

    def step(self, batch, sizes, graph=False):
        for metric in self.method.metrics:
            metric.reset_state()

        def step(part):
            return self.strategy.run(self.method.train_step, args=(part,))

        (tf.function(step) if graph else step)(self.distribute(batch, sizes))
        return {name: float(v) for name, v in self.method.results().items()}

    def copies_differ(self):
        """Names of variables of which a replica's copy differs from the first's."""
        return [
            name
            for name, variable in self.variables.items()
            for copy in self.strategy.experimental_local_results(variable)[1:]
            if not np.array_equal(
                copy, self.strategy.experimental_local_results(variable)[0]
            )
        ]


def runner_pair(run, strategy, epsilon=EPSILON):
    """A method on one device and the same on the replicas."""
    one = Runner(run, tf.distribute.get_strategy(), epsilon)
    many = Runner(run, strategy, epsilon)
    assert one.values().keys() == many.values().keys()
    return one, many


def family(name):
    """'optimizer0/m', 'optimizer1/v', .. of a slot; 'weight' of what the nets hold."""
    parts = name.split("/")
    return "/".join(parts[:2]) if name.startswith("optimizer") else "weight"


def worst(one, many):
    """(largest difference over largest value, name) of the variable that differs most.

    Small variables count as larger than they are: a bias that starts at 0 is as small
    as its first step, and a moment of a gradient that is 0 is rounding alone, which
    goes by the size of the other gradients.
    """
    sizes = {name: np.abs(value).max() for name, value in one.items()}
    floors = {}
    for name, size in sizes.items():
        floors[family(name)] = max(floors.get(family(name), 0.0), 1e-3 * size)
    floors["weight"] = RATE
    found = []
    for name, value in one.items():
        gap = np.abs(np.float64(value) - many[name]).max()
        assert np.isfinite(gap), name
        found.append((gap / max(sizes[name], floors[family(name)]), name))
    return max(found)


def weights_of(values):
    return {name: v for name, v in values.items() if family(name) == "weight"}


def assert_equal_steps(pair, make_batch, plan, tolerance=1e-5):
    """Steps both runners; every logged value and variable must agree after each step.

    Args:
      pair: from runner_pair.
      plan: for each step the sizes of the replicas' batches.
    """
    one, many = pair
    many.assign(one.values())
    for index, sizes in enumerate(plan):
        missing = MISSING[index % 2]
        batch = make_batch(one.method.config, sum(sizes), index, missing)
        before = weights_of(one.values())
        logs = one.step(batch, [sum(sizes)])
        for name, value in many.step(batch, sizes).items():
            assert value == pytest.approx(logs[name], rel=tolerance, abs=1e-6), name
        found = worst(one.values(), many.values())
        weights = worst(weights_of(one.values()), weights_of(many.values()))
        for gap, name in (found, weights):
            print(f"step {index + 1} with {sizes}: {gap:.1e} of {name}")
        assert found[0] <= tolerance, found
        assert worst(before, weights_of(one.values()))[0] > 1e-3  # it did step
        assert not many.copies_differ()


def case(tiny_config, strategy, **fields):
    settings = {"learning_rate": RATE, "dropout_rate": 0.3, **fields}
    return runner_pair(tiny_config(**settings), strategy)


@pytest.fixture(scope="module")
def joint_pair(tiny_config, strategy):
    return case(tiny_config, strategy)


def with_recipe(pair, run):
    """The pair, doing as another config of the same networks says."""
    start = getattr(pair[0], "start", None)
    if start is None:
        start = pair[0].start = pair[0].values()
    for runner in pair:
        runner.assign(start)
        runner.method.config = run
    return pair


def test_joint_discriminator_first(joint_pair, tiny_config, make_batch):
    pair = with_recipe(joint_pair, tiny_config(learning_rate=RATE))
    assert pair[0].method.config.recipe.discriminator_steps == 2
    assert_equal_steps(pair, make_batch, [even(8), even(8)])


def test_joint_generator_first(joint_pair, tiny_config, make_batch):
    run = tiny_config("paper", learning_rate=RATE)
    assert run.recipe.update_order == "generator_first"
    uneven = [*even(8)[:-2], *(8 // NUM_DEVICES + d for d in (1, -1))]
    assert_equal_steps(with_recipe(joint_pair, run), make_batch, [even(8), uneven])


def test_without_gx(tiny_config, strategy, make_batch):
    pair = case(
        tiny_config,
        strategy,
        method="without_gx",
        ccc_variance="unbiased",
        shared_sigma=False,
        discriminator_steps=1,
    )
    names = [name for name in pair[1].variables if "decoder" in name]
    assert not names
    assert_equal_steps(pair, make_batch, [even(8)])


def test_vgg_all_with_every_loss(tiny_config, strategy, make_batch):
    gaze = tasks.LabelTask("gaze", "continuous", dimensions=("x", "y"), loss="mse")
    label_tasks = (*tiny_config().tasks, gaze)
    pair = case(tiny_config, strategy, method="vgg_all", tasks=label_tasks)
    uneven = [*even(8)[:-2], *(8 // NUM_DEVICES + d for d in (1, -1))]
    assert_equal_steps(pair, make_batch, [even(8), uneven, even(16)])


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.kind])
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
    uneven = [*even(8)[:-2], *(8 // NUM_DEVICES + d for d in (1, -1))]
    assert_equal_steps(pair, make_batch, [even(8), uneven])


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
    batch = make_batch(run, 8, missing=MISSING[0])
    for _ in range(3):
        logs = one.step(batch, [8], graph=True)
        for name, value in many.step(batch, even(8), graph=True).items():
            assert value == pytest.approx(logs[name], rel=1e-4, abs=1e-5), name
    first, second = one.values(), many.values()
    names = weights_of(first)
    gaps = np.concatenate([np.ravel(np.abs(first[n] - second[n])) for n in names])
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

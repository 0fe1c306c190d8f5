"""The whole recipe for small networks: on replicas as on one, and gone on with.

Batch norm, Nesterov, one cycle, Lookahead, smoothing, mirrors, crops and cutout, all at
once, on the batches that the pipeline gives.
"""

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.data import input_pipeline
from kfer.evaluation import scoring
from kfer.settings import config as config_lib
from kfer.training import averaging, checkpoints, compiling, loop
from tests import runs
from tests.training.commands import weights

STEPS = 4  # of 24 pictures by 8: an epoch is three
METHODS = (
    "em",
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("vgg_all", "joint")),
)


def config_of(method):
    own = {"em": {"em_start_epoch": 0}, "joint": {"gan_start_epoch": -1}}
    config = config_lib.experiment_config(
        "synthetic_faces",
        method=method,
        optimization="fast",
        backbone="compact_xs",
        width=0.25,
        noise_size=8,
        batch_size=8,
        learning_rate=0.01,
        lookahead_every=2,
        cutout=8,
        **own.get(method, {}),
    )
    config = methods.fit_to_data(methods.resolve_tasks(config), runs.dataset())
    return compiling.timed(config, STEPS)


def batches(config, start=0):
    """The rest of the run's batches."""
    made = input_pipeline.train_dataset(runs.dataset(), config, start)
    return [tf.nest.map_structure(np.array, b) for b in made.take(STEPS - start)]


def new(config, seed=0):
    tf.keras.utils.set_random_seed(seed)
    method = compiling.compiled(config)
    method.encoder.trunk.start(tf.constant(batches(config)[0].image))
    averaging.of(method).start()
    return method


def held(method):
    """Every variable that a step depends on or changes but the logged means."""
    means = {v.ref() for metric in method.metrics for v in metric.variables}
    optimizers = (method.generator_optimizer, method.discriminator_optimizer)
    variables = [
        *method.variables,
        *(v for optimizer in optimizers if optimizer for v in optimizer.variables),
        *averaging.of(method).slow,
    ]
    return [v for v in variables if v.ref() not in means]


def values(method):
    return [v.numpy() for v in held(method)]


def step(method, batch, strategy=None):
    """A step on the batch, shared evenly among the strategy's replicas."""
    count = strategy.num_replicas_in_sync if strategy else 1
    parts = [
        tf.nest.map_structure(lambda a, i=i: tf.constant(np.split(a, count)[i]), batch)
        for i in range(count)
    ]
    if strategy is None:
        method.train_step(parts[0])
        return
    shared = strategy.experimental_distribute_values_from_function(
        lambda context: parts[context.replica_id_in_sync_group]
    )
    strategy.run(method.train_step, args=(shared,))


def test_it_is_the_whole_recipe():
    found = config_of("em").optimization
    assert (found.optimizer, found.schedule) == ("sgd", "one_cycle")
    assert (found.averaging, found.mirror) == ("lookahead", "alternating")
    assert min(found.label_smoothing, found.cutout, found.weight_decay) > 0
    assert found.bias_rate == 64.0 and found.whitening_share < 1.0


@pytest.mark.parametrize("name", METHODS)
def test_two_replicas_learn_as_one(two_replicas, name):
    """Each step begins with one's values: rounding would grow from step to step.

    Where two values of a maximum are as good as equal, rounding decides which of them
    gets the gradient, and a filter moves by some hundredths of its step another way.
    """
    config = config_of(name)
    one = new(config)
    with two_replicas.scope():
        many = new(config)
    for batch in batches(config)[:2]:
        before = values(one)
        for variable, value in zip(held(many), before, strict=True):
            variable.assign(value)
        step(one, batch)
        step(many, batch, two_replicas)
        found = zip(held(one), before, values(one), values(many), strict=True)
        for variable, start, first, second in found:
            moved, gap = np.linalg.norm(first - start), np.linalg.norm(second - first)
            print(f"{variable.name}: moved {moved:.1e}, gap {gap:.1e}")
            assert gap <= 0.02 * moved + 1e-6 * first.size**0.5, variable.name
    moved = [not np.array_equal(*pair) for pair in zip(before, values(one))]
    assert np.mean(moved) > 0.5


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("stop", (2, pytest.param(3, marks=pytest.mark.slow)))
def test_a_stopped_run_goes_on_with_the_same_bits(tmp_path, name, stop):
    """After a sync of Lookahead within an epoch, or at its end and between two syncs."""
    config = config_of(name)
    whole = new(config)
    for index, batch in enumerate(batches(config), 1):
        step(whole, batch)
        if index == stop:
            checkpoints.Checkpoints(whole, str(tmp_path)).save(stop)
    other = new(config, seed=1)
    assert checkpoints.Checkpoints(other, str(tmp_path)).restore() == stop
    for batch in batches(config, stop):
        step(other, batch)
    for variable, wanted, found in zip(
        held(whole), values(whole), values(other), strict=True
    ):
        np.testing.assert_array_equal(found, wanted, err_msg=variable.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ("em", "vgg_all"))
def test_a_whole_run_on_two_replicas(two_replicas, monkeypatch, tmp_path, name):
    """As fit runs it, in a graph, scored in between: the same but for rounding."""
    found = []
    for place in (tf.distribute.get_strategy(), two_replicas):
        monkeypatch.setattr(loop, "make_strategy", lambda *_, place=place: place)
        run_dir = str(tmp_path / str(len(found)))
        settings = loop.RunSettings(steps=STEPS, eval_every=2)
        loop.train(config_of(name), runs.dataset(), run_dir, settings, scoring.scorer)
        found.append(weights(run_dir, STEPS))
    one, many = found
    assert one.keys() == many.keys()
    for key, value in one.items():
        np.testing.assert_allclose(
            many[key],
            value,
            rtol=0,
            atol=1e-5 + 1e-3 * np.abs(value).max(initial=0),
            err_msg=key,
        )

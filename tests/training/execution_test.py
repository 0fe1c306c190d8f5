import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from kfer.errors import UserError
from kfer.training import callbacks, compiling, execution
from kfer.training.optimizers import Adam


def test_unknown_precision():
    with pytest.raises(UserError, match="'int8' is none of float32, bfloat16, float16"):
        with execution.precision("int8"):
            pass


def test_precision_ends_with_its_block():
    with pytest.raises(KeyError):
        with execution.precision("float16"):
            assert keras.layers.Dense(1).compute_dtype == "float16"
            assert keras.layers.Dense(1).variable_dtype == "float32"
            raise KeyError
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_only_float16_scales_its_losses():
    adam = Adam()
    assert execution.loss_scaled(adam, "bfloat16") is adam
    assert execution.loss_scaled(adam, "float16").inner_optimizer is adam


def losses_of(method, batch, steps):
    """The logged label loss of each step on the same batch."""
    step = tf.function(method.train_step)
    batch = tf.nest.map_structure(tf.convert_to_tensor, batch)
    found = []
    for _ in range(steps):
        for metric in method.metrics:
            metric.reset_state()
        logs = step(batch)
        found.append([float(logs[k]) for k in ("annotator_1/cross_entropy", "loss")])
    return np.array(found)


_STEP = """
import tensorflow as tf
from kfer.training import compiling
from tests.conftest import make_random_batch, make_tiny_config

config = make_tiny_config(recipe="paper")
step = tf.function(compiling.compiled(config).train_step)
print(float(step(tf.nest.map_structure(tf.constant, make_random_batch(config)))["loss"]))
"""


@pytest.mark.slow
def test_the_graph_optimizer_takes_the_game():
    """As Keras's own fit runs it, with every optimizer of TensorFlow on.

    Where one fails at a sum of the discriminator, it leaves all of the graph as it is.
    """
    done = subprocess.run(
        [sys.executable, "-c", _STEP],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert np.isfinite(float(done.stdout))
    assert "oneDNN" in done.stderr  # so what TensorFlow says is to be read
    assert "failed" not in done.stderr


@pytest.fixture(scope="module")
def tiny(tiny_config):
    return tiny_config(dropout_rate=0.0, learning_rate=1e-3)


@pytest.fixture(scope="module")
def exact(tiny, make_batch):
    """The losses in float32."""
    keras.utils.set_random_seed(0)
    return losses_of(compiling.compiled(tiny), make_batch(tiny), 8)


@pytest.mark.slow
@pytest.mark.parametrize("name, tolerance", [("bfloat16", 0.03), ("float16", 0.005)])
def test_mixed_precision_trains(tiny, exact, make_batch, name, tolerance):
    keras.utils.set_random_seed(0)
    try:
        method = compiling.compiled(tiny, name)
    except UserError as error:
        assert name == "bfloat16" and "wants AVX-512" in str(error)
        pytest.skip(str(error))
    assert method.encoder.convolutions[0][0].compute_dtype == name
    assert {v.dtype for v in method.trainable_variables} == {tf.float32}
    start = [variable.numpy() for variable in method.trainable_variables]
    losses = losses_of(method, make_batch(tiny), 8)
    # the first step's are rounded, not equal; then they fall as in float32
    assert losses[0] == pytest.approx(exact[0], rel=tolerance)
    assert (losses[0] != exact[0]).any()
    assert losses[-1, 0] < 0.9 * losses[0, 0] and exact[-1, 0] < 0.9 * exact[0, 0]
    moved = [np.any(v != s) for v, s in zip(method.trainable_variables, start)]
    assert np.mean(moved) > 0.95
    if name == "float16":
        for optimizer in (method.generator_optimizer, method.discriminator_optimizer):
            assert optimizer.loss_scale > 1 and optimizer.iterations > 1


def fit(method, batch, epochs, steps):
    """Trains on one batch; the logs, the steps counted, and how often it was traced."""
    traces = []
    original = method.train_step

    def counted(data):
        traces.append(1)
        return original(data)

    method.train_step = counted
    counter = callbacks.StepCounter(0)
    history = method.fit(
        tf.data.Dataset.from_tensors(batch).repeat(),
        epochs=epochs,
        steps_per_epoch=steps,
        verbose=0,
        callbacks=[counter],
    ).history
    return history, counter.step, len(traces)


def test_epochs_and_steps_in_one_go_are_not_traced_again(tiny_config, make_batch):
    config = tiny_config(method="vgg_all", learning_rate=1e-3)
    method = compiling.compiled(config, steps_per_execution=3)
    batch = make_batch(config)
    # an epoch of 4 steps: three, and a last one alone
    before, steps, traces = fit(method, batch, epochs=1, steps=4)
    assert steps == 4 and traces >= 1
    after, steps, traces = fit(method, batch, epochs=3, steps=4)
    assert steps == 12 and method.generator_optimizer.iterations.numpy() == 16
    assert traces == 0
    assert after["loss"][-1] < before["loss"][0]


def test_jit_compile_trains(tiny_config, make_batch):
    config = tiny_config(method="vgg_all", learning_rate=1e-3, dropout_rate=0.0)
    results = []
    for jit in (False, True):
        keras.utils.set_random_seed(0)
        method = compiling.compiled(config, jit_compile=jit)
        assert method.jit_compile == jit
        history = fit(method, make_batch(config), epochs=4, steps=1)[0]
        results.append(history["loss"])
    np.testing.assert_allclose(*results, rtol=1e-3)
    assert results[1][-1] < results[1][0]


@pytest.mark.slow
def test_jit_compile_trains_the_whole_game(tiny, exact, make_batch):
    keras.utils.set_random_seed(0)
    method = compiling.compiled(tiny, jit_compile=True)
    history = fit(method, make_batch(tiny), epochs=8, steps=1)[0]
    assert history["loss"][0] == pytest.approx(exact[0, 1], rel=1e-3)
    assert history["annotator_1/cross_entropy"][-1] < 0.9 * exact[0, 0]

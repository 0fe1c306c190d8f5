import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from kfer.metrics import continuous
from kfer.metrics.concordance import ConcordanceCorrelation


def case(n=101, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.uniform(-1, 1, (n, 2))
    return true, 0.6 * true + 0.2 * rng.normal(size=(n, 2)) + 0.1


def test_uneven_batches_equal_the_pooled_value():
    true, pred = case()
    metric = ConcordanceCorrelation()
    for start, end in ((0, 1), (1, 4), (4, 50), (50, 101)):
        metric.update_state(true[start:end], pred[start:end])
    expected = continuous.ccc(true, pred)
    np.testing.assert_allclose(metric.result_by_dimension(), expected, rtol=1e-12)
    assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-12)
    assert metric.result().dtype == tf.float64


def test_one_dimension_and_reset():
    true, pred = case()
    metric = ConcordanceCorrelation(dimension=1)
    metric.update_state(true, pred)
    assert float(metric.result()) == pytest.approx(continuous.ccc(true, pred)[1])
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_masked_rows_are_left_out_even_if_nan():
    true, pred = case(10)
    mask = np.array([1, 1, 0, 1, 0, 1, 1, 1, 1, 1], np.float32)
    expected = continuous.ccc(true[mask > 0], pred[mask > 0])
    true[2] = np.nan
    metric = ConcordanceCorrelation()
    metric.update_state(true, pred, mask)
    np.testing.assert_allclose(metric.result_by_dimension(), expected, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.3, 1 / 3, -0.9])
def test_constant_labels_give_zero_not_nan(value):
    metric = ConcordanceCorrelation()
    constant = np.full((33, 2), value)
    metric.update_state(constant, constant)
    np.testing.assert_array_equal(metric.result_by_dimension(), [0.0, 0.0])
    metric.update_state(constant, case(33)[1])
    found = metric.result_by_dimension().numpy()
    assert np.all(np.isfinite(found)) and np.all(np.abs(found) < 1e-6)


def test_a_diverged_prediction_is_not_hidden():
    true, pred = case(10)
    pred[3, 0] = np.nan
    metric = ConcordanceCorrelation()
    metric.update_state(true, pred)
    found = metric.result_by_dimension().numpy()
    assert np.isnan(found[0]) and np.isfinite(found[1])


def test_works_in_a_graph_and_in_fit():
    true, pred = case(64)
    metric = ConcordanceCorrelation()

    @tf.function
    def update(y_true, y_pred):
        metric.update_state(y_true, y_pred)

    update(tf.constant(true, tf.float32), tf.constant(pred, tf.float32))
    assert float(metric.result()) == pytest.approx(
        continuous.ccc(true, pred).mean(), abs=1e-6
    )
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[ConcordanceCorrelation()])
    history = model.fit(true, pred, batch_size=16, verbose=0)
    assert np.isfinite(history.history["ccc"][0])


def test_config_round_trip():
    metric = ConcordanceCorrelation(3, dimension=2, name="arousal")
    config = metric.get_config()
    assert {
        "num_dimensions": 3,
        "dimension": 2,
        "name": "arousal",
    }.items() <= config.items()
    again = ConcordanceCorrelation.from_config(config)
    assert again.get_config() == config and again.moments.shape == (6, 3)


@pytest.mark.slow  # a process of its own
def test_two_replicas_pool_their_moments():
    # Logical devices can only be set in a process that has not used TensorFlow yet.
    code = """
        import numpy as np, tensorflow as tf
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        from kfer.metrics import continuous
        from kfer.metrics.concordance import ConcordanceCorrelation
        rng = np.random.default_rng(0)
        true = rng.uniform(-1, 1, (24, 2))
        pred = 0.5 * true + 0.3 * rng.normal(size=(24, 2))
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        with strategy.scope():
            metric = ConcordanceCorrelation()
        data = tf.data.Dataset.from_tensor_slices((true, pred)).batch(8)
        def update(y_true, y_pred):
            metric.update_state(y_true, y_pred)
        step = tf.function(lambda *batch: strategy.run(update, batch))
        for batch in strategy.experimental_distribute_dataset(data):
            step(*batch)
        assert strategy.num_replicas_in_sync == 2
        expected = continuous.ccc(true, pred)
        np.testing.assert_allclose(metric.result_by_dimension(), expected, rtol=1e-10)
        print("pooled")
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.strip() == "pooled"

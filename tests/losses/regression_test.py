import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import regression


def test_by_hand():
    y_true = tf.constant([[0.0, 1.0], [0.5, -0.5]])
    y_pred = tf.constant([[1.0, 0.0], [0.5, 0.5]])
    # rows: (1 + 1) / 2 and (0 + 1) / 2
    losses = regression.squared_error(y_true, y_pred)
    assert losses.numpy() == pytest.approx([1.0, 0.5])


def test_numpy_twin_of_values_and_gradient():
    random = np.random.default_rng(1)
    y_true, y_pred = random.uniform(-1, 1, (2, 9, 3)).astype(np.float32)
    predicted = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        losses = regression.squared_error(tf.constant(y_true), predicted)
    np.testing.assert_allclose(losses, ((y_true - y_pred) ** 2).mean(1), rtol=1e-6)
    gradient = tape.gradient(losses, predicted)
    np.testing.assert_allclose(gradient, 2 * (y_pred - y_true) / 3, rtol=1e-6)


def test_different_sizes_raise_instead_of_broadcasting():
    with pytest.raises(ValueError):
        regression.squared_error(tf.zeros([4, 2]), tf.zeros([4, 1]))
    with pytest.raises(ValueError):
        regression.squared_error(tf.zeros([4, 2]), tf.zeros([1, 2]))


def test_huber_by_hand():
    y_true = tf.constant([[0.0, 0.0], [1.0, 0.0]])
    y_pred = tf.constant([[0.1, -0.5], [1.0, 2.0]])
    # delta 0.2: 0.1^2 / 2 and 0.2 (0.5 - 0.1); 0 and 0.2 (2 - 0.1)
    losses = regression.huber(y_true, y_pred, 0.2)
    assert losses.numpy() == pytest.approx([(0.005 + 0.08) / 2, 0.38 / 2], rel=1e-5)


def test_huber_s_pull_is_at_most_delta():
    predicted = tf.Variable([[-3.0], [-0.1], [0.0], [0.1], [3.0]])
    with tf.GradientTape() as tape:
        losses = regression.huber(tf.zeros([5, 1]), predicted, 0.2)
    gradient = tape.gradient(losses, predicted).numpy().ravel()
    assert gradient == pytest.approx([-0.2, -0.1, 0.0, 0.1, 0.2])


def test_gaussian_by_hand():
    y_true, y_pred = tf.constant([[1.0, 0.0]]), tf.constant([[0.0, 0.0]])
    loss = regression.gaussian(y_true, y_pred, tf.math.log([0.5, 2.0]))
    # (1 / 0.5)^2 / 2 + log 0.5, and log 2
    assert loss.numpy() == pytest.approx([(2.0 + np.log(0.5) + np.log(2.0)) / 2])


def test_gaussian_is_smallest_at_the_errors_own_size():
    errors = tf.constant([[0.3], [-0.3]])
    sizes = np.linspace(0.1, 1.0, 91)
    costs = [
        float(regression.gaussian(errors, tf.zeros([2, 1]), tf.constant([log_size]))[0])
        for log_size in np.log(sizes).astype(np.float32)
    ]
    assert sizes[np.argmin(costs)] == pytest.approx(0.3, abs=0.011)

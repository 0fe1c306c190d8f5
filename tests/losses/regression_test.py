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

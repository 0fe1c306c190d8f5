import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from kfer.methods import backprop
from kfer.training.optimizers import Adam


def scaled(scale):
    return keras.mixed_precision.LossScaleOptimizer(
        Adam(0.1), dynamic=False, initial_scale=scale
    )


@pytest.mark.parametrize(
    "make", (Adam, lambda: scaled(1024.0)), ids=("plain", "scaled")
)
def test_gradients_are_the_loss_s(make):
    used, unused = tf.Variable([1.0, 2.0]), tf.Variable([3.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(used**2)
    first, second = backprop.gradients(tape, loss, [used, unused], make())
    np.testing.assert_array_equal(first, [2.0, 4.0])
    assert second is None


@pytest.mark.parametrize(
    "make", (lambda: Adam(0.1), lambda: scaled(1024.0)), ids=("plain", "scaled")
)
def test_a_step_leaves_what_has_no_part_in_the_loss(make):
    used, unused = tf.Variable([1.0, 2.0]), tf.Variable([3.0])
    optimizer = make()
    optimizer.build([used, unused])
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(used**2)
    backprop.descend(tape, loss, [used, unused], optimizer)
    # Adam's first step is the rate, against the gradient's sign
    np.testing.assert_allclose(used, [0.9, 1.9], rtol=1e-5)
    np.testing.assert_array_equal(unused, [3.0])
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    assert inner.update_counts.numpy().tolist() == [1, 0]


def test_the_scale_saves_what_float16_loses():
    # 1e-5 * 1e-4 is 0 in float16, whose smallest value is 6e-8
    weight = tf.Variable([1.0])

    def slope(by):
        with tf.GradientTape() as tape:
            hidden = tf.cast(weight, tf.float16) * tf.constant(1e-4, tf.float16)
            loss = tf.reduce_sum(tf.cast(hidden, tf.float32) * 1e-5)
        return float(backprop.gradients(tape, loss, [weight], by)[0][0])

    assert slope(Adam()) == 0.0
    assert slope(scaled(2.0**15)) == pytest.approx(1e-9, rel=0.01)

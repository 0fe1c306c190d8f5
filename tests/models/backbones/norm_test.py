"""Batch norm by hand, its moving statistics, and over replicas."""

import numpy as np
import tensorflow as tf

from kfer.models.backbones.norm import BatchNorm, moments


def test_by_hand():
    layer = BatchNorm()
    # means 2 and 1, variances 4 and 0
    values = tf.constant([[0.0, 1.0], [4.0, 1.0]])[:, tf.newaxis, tf.newaxis]
    outputs = layer(values, training=True)
    np.testing.assert_allclose(outputs[:, 0, 0], [[-1.0, 0.0], [1.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(layer.mean, [0.8, 0.4])  # 0.6 x 0 + 0.4 x mean
    np.testing.assert_allclose(layer.variance, [2.2, 0.6])  # 0.6 x 1 + 0.4 x variance
    later = layer(values, training=False)
    wanted = (np.array(values) - [0.8, 0.4]) / np.sqrt([2.2, 0.6])
    np.testing.assert_allclose(later, wanted, rtol=1e-5)
    np.testing.assert_allclose(layer.mean, [0.8, 0.4])


def test_two_replicas_count_as_one_batch(two_replicas):
    values = np.random.default_rng(0).normal(3.0, 2.0, (8, 4, 4, 5)).astype(np.float32)
    alone = BatchNorm()
    wanted = alone(tf.constant(values), training=True)
    strategy = two_replicas
    with strategy.scope():
        layer = BatchNorm()
        layer.build([None, 4, 4, 5])

    def of(context):
        first = 4 * context.replica_id_in_sync_group
        return tf.constant(values[first : first + 4])

    halves = strategy.experimental_distribute_values_from_function(of)
    step = tf.function(lambda part: layer(part, training=True))
    outputs = strategy.experimental_local_results(strategy.run(step, (halves,)))
    np.testing.assert_allclose(np.concatenate(outputs), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.mean.numpy(), alone.mean, rtol=1e-5)
    np.testing.assert_allclose(layer.variance.numpy(), alone.variance, rtol=1e-5)


def test_the_fused_form_has_the_gradients_of_the_formula():
    layer = BatchNorm()
    values = tf.random.stateless_normal([4, 3, 3, 5], [1, 2]) * 2.0 + 1.0
    weights = tf.random.stateless_normal([4, 3, 3, 5], [3, 4])
    layer(values)
    layer.beta.assign([0.5, -0.5, 0.0, 1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(values)
        fused = tf.reduce_sum(weights * layer(values, training=True))
        mean, variance = moments(values)
        formula = (values - mean) / tf.sqrt(variance + layer.epsilon) + layer.beta
        written = tf.reduce_sum(weights * formula)
    for source in (values, layer.beta):
        found, wanted = tape.gradient(fused, source), tape.gradient(written, source)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)

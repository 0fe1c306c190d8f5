import numpy as np
import tensorflow as tf

from kfer.methods import label_samples
from kfer.structures import Noise


def noise(size, length=8, seed=0):
    draws = np.random.default_rng(seed).normal(size=(2, size, length))
    return Noise(*tf.unstack(tf.constant(draws, tf.float32)), dropout=None)


def test_uniforms_are_uniform_and_apart():
    one = noise(20000)
    found = label_samples.uniforms(one, 3).numpy()
    assert found.min() >= 0.0 and found.max() < 1.0
    for column in found.T:
        counts = np.histogram(column, 10, (0.0, 1.0))[0] / len(column)
        np.testing.assert_allclose(counts, 0.1, atol=0.01)
    seen = np.concatenate([found, one.y0_encoder, one.y0_decoder], axis=1)
    apart = np.corrcoef(seen.T) - np.eye(seen.shape[1])
    assert np.abs(apart).max() < 0.03


def test_uniforms_are_each_example_s_own():
    whole = noise(6)
    half = Noise(*(part[3:] for part in whole[:2]), dropout=None)
    rows = label_samples.uniforms(whole, 2).numpy()[3:]
    np.testing.assert_array_equal(label_samples.uniforms(half, 2), rows)


def test_samples_by_hand():
    p = tf.constant([[0.2, 0.5, 0.3]] * 5)
    uniform = tf.constant([0.0, 0.19, 0.21, 0.69, 0.9999999])
    found = label_samples.one_hot_samples(p, uniform).numpy()
    assert found.argmax(1).tolist() == [0, 0, 1, 1, 2]
    assert sorted(set(found.ravel())) == [0.0, 1.0]


def test_a_sum_below_one_still_draws_a_class():
    p = tf.constant([[0.5, 0.4999]])
    found = label_samples.one_hot_samples(p, tf.constant([0.99995]))
    assert found.numpy().tolist() == [[0.0, 1.0]]


def test_the_gradient_is_the_probabilities_own():
    logits = tf.Variable([[0.3, -0.2, 1.0]])
    weights = tf.constant([[1.0, -2.0, 0.5]])
    found = []
    for sampled in (True, False):
        with tf.GradientTape() as tape:
            seen = tf.nn.softmax(logits)
            if sampled:
                seen = label_samples.one_hot_samples(seen, tf.constant([0.5]))
            score = tf.reduce_sum(weights * seen)
        found.append(tape.gradient(score, logits))
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_seen_by_hand():
    logits = tf.math.log([[0.5, 0.25, 0.25]])
    matrix = tf.constant([[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.4, 0.0, 0.6]])
    # .5 (.8, .2, 0) + .25 (0, 1, 0) + .25 (.4, 0, .6)
    passed, uniform = np.array([[0.5, 0.35, 0.15]]), tf.constant([0.8])

    def seen(how, matrix=None):
        return label_samples.seen(logits, how, matrix, uniform).numpy()

    np.testing.assert_array_equal(seen("logits"), logits)
    np.testing.assert_allclose(seen("probabilities"), [[0.5, 0.25, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(seen("probabilities", matrix), passed, rtol=1e-6)
    np.testing.assert_allclose(seen("logits", matrix), np.log(passed), rtol=1e-5)
    assert seen("samples").tolist() == [[0.0, 0.0, 1.0]]
    assert seen("samples", matrix).tolist() == [[0.0, 1.0, 0.0]]

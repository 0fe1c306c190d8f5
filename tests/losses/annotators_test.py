import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import annotators

MATRIX = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)


class TestNoisyLogProbabilities:
    def test_equation_2_by_hand(self):
        logits = tf.math.log([[0.25, 0.75], [1.0, 1e-30]])
        found = annotators.noisy_log_probabilities(logits, tf.math.log(MATRIX))
        # 0.25 0.9 + 0.75 0.4 and the rest; the first row of T
        expected = [[0.525, 0.475], [0.9, 0.1]]
        np.testing.assert_allclose(np.exp(found), expected, rtol=1e-5)

    def test_numpy_twin(self):
        random = np.random.default_rng(0)
        logits = random.normal(size=(6, 5)).astype(np.float32) * 3
        matrix = random.dirichlet(np.ones(5), 5).astype(np.float32)
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        found = annotators.noisy_log_probabilities(
            tf.constant(logits), tf.constant(np.log(matrix))
        )
        np.testing.assert_allclose(np.exp(found), p @ matrix, rtol=1e-5)

    def test_the_identity_changes_nothing_and_has_a_gradient(self):
        logits = tf.Variable([[2.0, -1.0, 0.5]])
        with np.errstate(divide="ignore"):
            log_identity = tf.constant(np.log(np.eye(3)), tf.float32)
        with tf.GradientTape() as tape:
            found = annotators.noisy_log_probabilities(logits, log_identity)
            first = found[0, 0]
        np.testing.assert_allclose(found, tf.nn.log_softmax(logits), rtol=1e-6)
        assert np.all(np.isfinite(tape.gradient(first, logits)))

    def test_a_matrix_of_another_size(self):
        with pytest.raises(ValueError):
            annotators.noisy_log_probabilities(tf.zeros([2, 3]), tf.zeros([2, 2]))


def test_trace_by_hand():
    found = annotators.trace([tf.constant(MATRIX), tf.eye(3)])
    assert float(found) == pytest.approx(1.5 + 3.0)


class TestLogVolume:
    def test_by_hand(self):
        # det [[2, 1], [1, 2]] = 3
        found = annotators.log_volume(tf.constant([[2.0, 1.0], [1.0, 2.0]]))
        assert float(found) == pytest.approx(np.log(3.0), abs=1e-4)

    def test_without_volume_value_and_gradient_are_finite(self):
        rows = tf.Variable([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])  # two of three
        with tf.GradientTape() as tape:
            found = annotators.log_volume(tf.matmul(rows, rows, transpose_a=True))
        gram = rows.numpy().T.astype(float) @ rows.numpy() + 1e-5 * np.eye(3)
        assert float(found) == pytest.approx(np.linalg.slogdet(gram)[1], rel=1e-3)
        gradient = tape.gradient(found, rows).numpy()
        twin = 2 * rows.numpy() @ np.linalg.inv(gram)
        np.testing.assert_allclose(gradient, twin, rtol=2e-2, atol=0.05)
        # the second class's share of both rows is what they have in common
        assert np.all(gradient[:, 1] < 10.0)


class TestGroupNorms:
    def test_by_hand(self):
        features = tf.constant([[1.0, 2.0], [0.0, 1.0]])
        kernel = tf.constant([[3.0, 1.0], [2.0, 0.0]])
        # image 1: |(3, 4)| + |(1, 0)|; image 2: |(0, 2)| + 0
        found = annotators.group_norms(features, kernel)
        assert found.numpy() == pytest.approx([6.0, 2.0])

    def test_an_empty_group_has_gradient_0(self):
        kernel = tf.Variable(tf.zeros([2, 2]))
        with tf.GradientTape() as tape:
            found = annotators.group_norms(tf.ones([1, 2]), kernel)
        np.testing.assert_array_equal(tape.gradient(found, kernel), np.zeros([2, 2]))

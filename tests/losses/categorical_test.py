import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import categorical


def test_uniform_logits_cost_log_k():
    losses = categorical.cross_entropy(tf.constant([0, 3]), tf.zeros([2, 4]))
    assert losses.numpy() == pytest.approx([np.log(4.0)] * 2)


def test_by_hand():
    # softmax(ln 1, ln 2, ln 5) = (1, 2, 5) / 8
    logits = tf.math.log([[1.0, 2.0, 5.0]] * 3)
    losses = categorical.cross_entropy(tf.constant([0, 1, 2]), logits)
    assert losses.numpy() == pytest.approx(np.log([8.0, 4.0, 1.6]))


def test_numpy_twin():
    random = np.random.default_rng(0)
    logits = random.normal(size=(16, 7)).astype(np.float32) * 5
    labels = random.integers(0, 7, 16)
    shifted = logits - logits.max(1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    expected = -log_softmax[np.arange(16), labels]
    losses = categorical.cross_entropy(tf.constant(labels), tf.constant(logits))
    assert losses.shape == (16,)
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=1e-5)


def test_large_logits_stay_finite():
    losses = categorical.cross_entropy(
        tf.constant([0, 1]), tf.constant([[1e4, 0.0], [1e4, 0.0]])
    )
    assert losses.numpy() == pytest.approx([0.0, 1e4])


def test_a_step_raises_the_label_s_probability():
    logits = tf.Variable([[0.1, -0.2, 0.3]])
    with tf.GradientTape() as tape:
        loss = categorical.cross_entropy(tf.constant([1]), logits)
    gradient = tape.gradient(loss, logits).numpy()[0]
    assert gradient[1] < 0 < min(gradient[0], gradient[2])
    assert gradient.sum() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("labels, logits", [((2,), (3, 4)), ((2, 1), (2, 4))])
def test_wrong_shapes_raise(labels, logits):
    with pytest.raises(ValueError):
        categorical.cross_entropy(tf.zeros(labels, tf.int32), tf.zeros(logits))

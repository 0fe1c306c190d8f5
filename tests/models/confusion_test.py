import numpy as np
import pytest
import tensorflow as tf

from kfer.models.confusion import ConfusionNet


@pytest.fixture(scope="module")
def net():
    tf.keras.utils.set_random_seed(0)
    net = ConfusionNet(3, 5, features=4, annotators=2, diagonal=0.8)
    net(tf.zeros([1, 4]), tf.zeros([1, 1, 2]))
    return net


def test_numpy_twin(net):
    random = np.random.default_rng(0)
    features = random.normal(size=(6, 4)).astype(np.float32)
    who = random.dirichlet(np.ones(2), (6, 7)).astype(np.float32)
    found = net(tf.constant(features), tf.constant(who)).numpy()
    first, bias = (v.numpy() for v in net.of_picture.variables)
    (second,) = (v.numpy() for v in net.of_annotator.variables)
    last, prior = (v.numpy() for v in net.matrix.variables)
    hidden = np.maximum((features @ first + bias)[:, None] + who @ second, 0.0)
    logits = (hidden @ last + prior).reshape(6, 7, 3, 3)
    wanted = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_every_matrix_starts_near_the_diagonal(net):
    # softmax of (log(0.8 2 / 0.2), 0, 0) = 8 / 10, 1 / 10, 1 / 10
    start = np.exp(net.matrix.bias.numpy().reshape(3, 3))
    wanted = 0.7 * np.eye(3) + 0.1
    np.testing.assert_allclose(start / start.sum(1, keepdims=True), wanted, rtol=1e-5)


def test_multiplies_in_float32_under_mixed_precision():
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        made = ConfusionNet(3, 5, features=4, annotators=2, diagonal=0.8)
        found = made(tf.zeros([1, 4]), tf.zeros([1, 1, 2]))
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert found.dtype == tf.float32
    assert all(v.dtype == tf.float32 for v in made.variables)

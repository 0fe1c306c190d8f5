import numpy as np
import pytest
import tensorflow as tf

from kfer import tasks
from kfer.models import fit

CLASSES = tasks.LabelTask("class", "categorical", ("a", "b"))
AGES = tasks.LabelTask("age", "continuous", dimensions=("u", "v"), low=0.0, high=10.0)


def test_standardised_by_hand():
    # (1, 3, 5) - 3 = (-2, 0, 2) of length sqrt 8; 4 / sqrt 8 = sqrt 2
    found = fit.standardised(tf.constant([[1.0, 3.0, 5.0], [2.0, 2.0, 2.0]]))
    root = 2 * np.sqrt(2)
    expected = [[1.0, -root, 0.0, root], [1.0, 0.0, 0.0, 0.0]]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_lifted_by_hand():
    # 10 and 2.5 of 0..10 are 1 and -1/2
    found = fit.lifted(AGES, tf.constant([[10.0, 2.5]]))
    np.testing.assert_allclose(found, [[1.0, -0.5, 1.0, -0.5, 0.25]])
    labels = tf.constant([[0.25, 0.75]])
    np.testing.assert_array_equal(fit.lifted(CLASSES, labels), labels)


@pytest.fixture
def layer():
    layer = fit.LabelFit((CLASSES, AGES))
    labels = {"class": tf.zeros([1, 2]), "age": tf.zeros([1, 2])}
    layer(tf.zeros([1, 3]), labels)
    return layer


def test_score_by_hand(layer):
    features = tf.constant([[1.0, 3.0, 5.0]])
    labels = {"class": tf.constant([[0.0, 1.0]]), "age": tf.constant([[5.0, 10.0]])}
    assert layer(features, labels).numpy().tolist() == [0.0]  # W starts at 0
    layer.maps["class"].kernel.assign([[9.0] * 4, [0.5, 0.0, 0.0, 1.0]])
    kernel = np.zeros((5, 4))
    kernel[1] = [0.0, 1.0, 0.0, 0.0]  # of v, which is 1
    kernel[3] = [7.0, 7.0, 7.0, 7.0]  # of u v, which is 0
    layer.maps["age"].kernel.assign(kernel)
    # class b: 1/2 + 2 sqrt 2; v: -2 sqrt 2
    np.testing.assert_allclose(layer(features, labels), [0.5], atol=1e-5)


def test_features_get_no_gradient_and_labels_do(layer):
    layer.maps["class"].kernel.assign([[1.0] * 4, [3.0, 0.0, 0.0, 0.0]])
    features = tf.Variable([[1.0, 3.0, 5.0]])
    classes = tf.Variable([[0.5, 0.5]])
    with tf.GradientTape() as tape:
        labels = {"class": tf.identity(classes), "age": tf.zeros([1, 2])}
        score = layer(features, labels)
    found = tape.gradient(score, [features, classes])
    assert found[0] is None
    # (1, -2r, 0, 2r) . (1, 1, 1, 1) and 3
    np.testing.assert_allclose(found[1], [[1.0, 3.0]], atol=1e-5)

"""Gaussian annotators in tensors: by hand, and as kfer.crowd.values has them."""

import numpy as np
import tensorflow as tf

from kfer import tasks
from kfer.crowd import values as values_lib
from kfer.crowd.triples import Values
from kfer.methods import gaussian
from kfer.methods.gaussian import Annotators, Truth
from kfer.structures import Batch, CrowdLabels

ITEMS, PEOPLE = 60, 4


def crowd():
    """Values of one dimension, a mask [N, A] of who gave one, and all of them."""
    rng = np.random.default_rng(3)
    truth = rng.normal(0.1, 0.4, ITEMS)
    bias, scale, spread = (
        np.array([0.2, -0.1, 0.0, 0.0]),
        np.array([1.2, 0.8, 1.0, 1.0]),
        np.array([0.1, 0.2, 0.6, 0.1]),
    )
    given = bias + scale * truth[:, None] + spread * rng.normal(size=(ITEMS, PEOPLE))
    mask = rng.random((ITEMS, PEOPLE)) < 0.7
    mask[0] = False
    return np.where(mask, given, 0.0).astype(np.float32), mask


def as_labels(given, mask):
    who = np.tile(np.arange(PEOPLE), (ITEMS, 1))
    return CrowdLabels(
        tf.constant(who, tf.int64),
        tf.constant(given[:, :, None]),
        tf.constant(mask, tf.float32),
    )


def test_the_truth_by_hand():
    # Prior 0.5 of precision 1; (0.9 - 0.1) / 2 = 0.4 at 2^2 / 0.5 = 8, and 0.2 of 1.
    annotators = Annotators(
        *(tf.constant(v)[:, None] for v in ([0.1, 0.0], [2.0, 1.0], [0.5, 1.0]))
    )
    given = CrowdLabels(
        tf.constant([[0, 1]], tf.int64),
        tf.constant([[[0.9], [0.2]]]),
        tf.constant([[1.0, 1.0]]),
    )
    found = gaussian.expected(given, annotators, tf.constant([0.5]), tf.constant([1.0]))
    np.testing.assert_allclose(found.mean, [[(0.5 + 8 * 0.4 + 0.2) / 10]], rtol=1e-6)
    np.testing.assert_allclose(found.variance, [[0.1]], rtol=1e-6)
    alone = gaussian.expected(
        given._replace(mask=tf.zeros([1, 2])), annotators, [0.5], tf.constant([1.0])
    )
    np.testing.assert_allclose(alone.mean, [[0.5]])


def test_both_steps_are_those_of_the_crowd():
    given, mask = crowd()
    item, who = np.nonzero(mask)
    flat = given[item, who].astype(np.float64)
    values = Values(item, who, flat, ITEMS, PEOPLE)
    bias, scale = np.array([0.1, 0.0, -0.1, 0.05]), np.array([1.1, 0.9, 1.0, 1.0])
    state = bias, scale, np.array([0.02, 0.05, 0.4, 0.01]), np.array([0.1, 0.16])
    mean, variance = values_lib._expect(values, flat, *state)
    wanted = values_lib._maximise(values, flat, mean, variance, 3.0)

    annotators = Annotators(*(tf.constant(v[:, None], tf.float32) for v in state[:3]))
    labels = as_labels(given, mask)
    truth = gaussian.expected(
        labels, annotators, tf.constant([0.1]), tf.constant([1.0 / 0.16])
    )
    np.testing.assert_allclose(truth.mean[:, 0], mean, atol=1e-5)
    np.testing.assert_allclose(truth.variance[:, 0], variance, rtol=1e-5)
    some = tf.constant(mask.any(axis=1), tf.float32)
    found, items = gaussian.fitted(
        gaussian.sums_by_annotator(labels, truth, PEOPLE),
        gaussian.sums_of_truth(truth, some),
        tf.constant([3.0]),
    )
    for mine, other in zip((*found, items), wanted, strict=True):
        np.testing.assert_allclose(mine[:, 0], other, atol=2e-5)


def test_columns_and_crowds_are_numbered_one_after_the_other():
    # Values of 0..9 are (v - 4.5) / 4.5.
    def task(name):
        return tasks.LabelTask(name, "continuous", (), ("x",), 0.0, 9.0, target="x")

    crowd_ = CrowdLabels(
        tf.constant([[1, -1]], tf.int64),
        tf.constant([[[9.0], [0.0]]]),
        tf.constant([[1.0, 0.0]]),
    )
    labels, mask = {"a": tf.constant([[4.5]])}, {"a": tf.constant([1.0])}
    batch = Batch(None, labels, mask, None, None, {"b": crowd_})
    found = gaussian.said(batch, (task("a"), task("b")), (1, 2))
    np.testing.assert_array_equal(found.annotator, [[0, 2, 1]])
    np.testing.assert_allclose(found.label, [[[0.0], [1.0], [-1.0]]])
    np.testing.assert_array_equal(found.mask, [[1.0, 1.0, 0.0]])


def test_a_truth_without_any_value_is_left_out():
    truth = Truth(tf.constant([[0.5], [9.0]]), tf.constant([[0.25], [1.0]]))
    found = gaussian.sums_of_truth(truth, tf.constant([1.0, 0.0]))
    np.testing.assert_allclose(found, [[1.0], [0.5], [0.5]])

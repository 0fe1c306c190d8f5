"""What annotators' matrices make of labels, beside kfer.crowd's NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.crowd import confusion
from kfer.crowd.triples import Triples
from kfer.methods import annotated
from kfer.structures import Batch, CrowdLabels, Noise
from tests.methods import toys

SETS = np.array([[0, 1, 2, 3, -1], [0, 0, 2, -1, -1]])
PAIRS = toys.class_tasks(2)


def batch_of(labels, mask, crowd=None):
    zeros = np.zeros((5, 2), np.float32)
    noise = Noise(zeros, zeros, zeros)
    held = Batch(zeros, labels, mask, noise, np.arange(5), crowd or {})
    return tf.nest.map_structure(tf.constant, held)


def columns():
    """The label sets as a column each."""
    names = [task.name for task in PAIRS]
    labels = {n: np.maximum(row, 0).astype(np.int32) for n, row in zip(names, SETS)}
    mask = {n: (row >= 0).astype(np.float32) for n, row in zip(names, SETS)}
    return batch_of(labels, mask), PAIRS, (1, 1)


def crowd():
    """The same as one crowd column, whose gaps say anything."""
    given = SETS.T >= 0
    said = CrowdLabels(
        np.where(given, [[0, 1]], -1),
        np.where(given, SETS.T, 0),
        given.astype(np.float32),
    )
    task = PAIRS[0]
    labels = {task.name: np.maximum(SETS[0], 0).astype(np.int32)}
    mask = {task.name: given.any(axis=1).astype(np.float32)}
    return batch_of(labels, mask, {task.name: said}), (task,), (2,)


def matrices():
    drawn = np.random.default_rng(0).dirichlet(np.ones(4), (2, 4))
    return drawn.astype(np.float32)


@pytest.mark.parametrize("make", (columns, crowd))
def test_likelihood_and_counts_are_the_crowd_s(make):
    batch, tasks, counts = make()
    triples = Triples.of_sets(SETS, 4)
    tables = matrices()
    said = annotated.log_likelihood(batch, tasks, counts, np.log(tables))
    q, _ = confusion.posterior(np.zeros(4), np.log(tables.astype(float)), triples)
    np.testing.assert_allclose(tf.nn.softmax(said), q, rtol=1e-5, atol=1e-6)
    drawn = np.random.default_rng(1).dirichlet(np.ones(4), 5).astype(np.float32)
    found = annotated.confusion_counts(batch, tasks, counts, tf.constant(drawn))
    wanted = confusion.confusion_counts(drawn.astype(float), triples)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    has = annotated.has_label(batch, tasks).numpy()
    assert has.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]


def test_a_soft_label_counts_by_its_shares():
    batch, tasks, counts = columns()
    half = np.zeros((5, 4), np.float32)
    half[:, :2] = 0.5
    soft = batch._replace(labels={**batch.labels, "annotator_1": tf.constant(half)})
    tables = np.log(matrices())
    said = annotated.log_likelihood(soft, tasks[:1], counts[:1], tables[:1])
    by_hand = 0.5 * (tables[0][:, 0] + tables[0][:, 1])
    np.testing.assert_allclose(said[0], by_hand, rtol=1e-5)


@pytest.mark.parametrize("strength", (0.5, 10.0, 1e9))
def test_shrunk_matrices_are_the_crowd_s(strength):
    counts = np.random.default_rng(2).gamma(2.0, 20.0, (3, 4, 4)).astype(np.float32)
    counts[2] = 0.0
    found = annotated.shrunk_matrices(tf.constant(counts), tf.constant(strength))
    wanted = confusion.shrunk_matrices(counts.astype(float), strength)
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=1e-6)

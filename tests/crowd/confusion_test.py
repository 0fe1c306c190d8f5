"""EM's steps by hand, a plain twin, and what shrinkage does at both ends."""

import numpy as np
import pytest

from kfer.crowd import confusion
from kfer.crowd.triples import Triples
from tests.crowd import crowds

# Item 0: annotator 0 says 0, annotator 1 says 1. Item 1: nobody. Item 2: 1 says 1.
TRIPLES = Triples.of_sets(np.array([[0, -1, -1], [1, -1, 1]]), 2)
MATRICES = np.array([[[0.9, 0.1], [0.2, 0.8]], [[0.6, 0.4], [0.5, 0.5]]])


def test_posterior_by_hand():
    prior = np.array([0.25, 0.75])
    q, log_evidence = confusion.posterior(np.log(prior), np.log(MATRICES), TRIPLES)
    # Item 0: 1/4 .9 .4 = .09 and 3/4 .2 .5 = .075. Item 2: 1/4 .4 = .1, 3/4 .5 = .375.
    expected = [[0.09 / 0.165, 0.075 / 0.165], prior, [0.1 / 0.475, 0.375 / 0.475]]
    np.testing.assert_allclose(q, expected)
    np.testing.assert_allclose(np.exp(log_evidence), [0.165, 1, 0.475])


def test_posterior_takes_a_prior_for_each_item():
    priors = np.array([[0.5, 0.5], [0.1, 0.9], [1.0, 0.0]])
    with np.errstate(divide="ignore"):
        q, _ = confusion.posterior(np.log(priors), np.log(MATRICES), TRIPLES)
    # Item 0: .9 .4 = .36 against .2 .5 = .1; item 2 can only be of class 0.
    np.testing.assert_allclose(q, [[0.36 / 0.46, 0.1 / 0.46], [0.1, 0.9], [1, 0]])


def test_counts_by_hand():
    q = np.array([[0.7, 0.3], [0.5, 0.5], [0.2, 0.8]])
    found = confusion.confusion_counts(q, TRIPLES)
    # Annotator 1 says 1 of item 0 and 2: .7 + .2 of class 0, .3 + .8 of class 1.
    np.testing.assert_allclose(found, [[[0.7, 0], [0.3, 0]], [[0, 0.9], [0, 1.1]]])


def test_steps_equal_plain_loops():
    rng = np.random.default_rng(0)
    _, triples = crowds.sparse(annotators=20, share=0.1, items=60)
    q = rng.dirichlet(np.ones(7), 60)
    tables = rng.dirichlet(np.ones(7), (20, 7))
    counts, joint = np.zeros((20, 7, 7)), np.ones((60, 7)) / 7
    for i, a, label in zip(triples.item, triples.annotator, triples.label, strict=True):
        counts[a, :, label] += q[i]
        joint[i] *= tables[a, :, label]
    np.testing.assert_allclose(confusion.confusion_counts(q, triples), counts)
    found, _ = confusion.posterior(np.log(np.ones(7) / 7), np.log(tables), triples)
    np.testing.assert_allclose(found, joint / joint.sum(axis=1, keepdims=True))


COUNTS = np.array(
    [[[8.0, 1, 1], [0, 0, 0], [0, 0, 10]], [[2, 4, 0], [0, 0, 0], [0, 0, 0]]]
)


def test_without_strength_it_is_the_share_of_counts():
    found = confusion.shrunk_matrices(COUNTS, 0)
    expected = [
        [[0.8, 0.1, 0.1], [0, 0, 0], [0, 0, 1]],
        [[1 / 3, 2 / 3, 0]] + [[0] * 3] * 2,
    ]
    np.testing.assert_allclose(found, expected)


def test_shrinkage_by_hand():
    # Right 18 of 20 and 2 of 6; of the crowd (20 + 1) of (26 + 2): .75. With two labels
    # at that rate: (18 + 1.5) / 22 and (2 + 1.5) / 8.
    first, second = 19.5 / 22, 3.5 / 8
    np.testing.assert_allclose(confusion.rates(COUNTS), [first, second])
    # The crowd's errors of class 0: 5 and 1, one more each: 6/8 and 2/8.
    far = confusion.shrunk_matrices(COUNTS, np.inf)
    wrong = np.array([1 - first, 1 - second])
    np.testing.assert_allclose(far[:, 0, 0], [first, second])
    np.testing.assert_allclose(far[:, 0, 1], wrong * 6 / 8)
    np.testing.assert_allclose(far[:, 1], [[w / 2, 1 - w, w / 2] for w in wrong])
    # Five labels more of that row: (8 + 5 T) / 15.
    found = confusion.shrunk_matrices(COUNTS, 5.0)
    np.testing.assert_allclose(found[0, 0], (COUNTS[0, 0] + 5 * far[0, 0]) / 15)
    np.testing.assert_allclose(found[1, 1], far[1, 1])
    np.testing.assert_allclose(found.sum(axis=2), 1)


def test_one_coin_by_hand():
    found = confusion.one_coin_matrices(COUNTS)
    right = 19.5 / 22
    np.testing.assert_allclose(
        found[0], right * np.eye(3) + (1 - right) / 2 * (1 - np.eye(3))
    )


@pytest.mark.parametrize("strength", [0.5, 20.0, np.inf])
def test_many_labels_outweigh_the_crowd_and_nothing_is_impossible(strength):
    found = confusion.shrunk_matrices(COUNTS * 1e6, strength)
    assert np.all(found > 0)
    if np.isfinite(strength):
        np.testing.assert_allclose(found[0, 0], [0.8, 0.1, 0.1], atol=1e-4)

"""Dawid-Skene: one step by hand, a plain twin, recovery, missing labels and classes."""

import math

import numpy as np
import pytest

from kfer.audit import dawid_skene
from kfer.errors import UserError
from kfer.noise import flips, transition

MATRICES = np.array(
    [
        [[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]],
        [[0.6, 0.2, 0.2], [0.05, 0.9, 0.05], [0.2, 0.0, 0.8]],
        [[0.7, 0.3, 0.0], [0.2, 0.6, 0.2], [0.05, 0.05, 0.9]],
    ]
)
PRIOR = np.array([0.5, 0.3, 0.2])


def simulate(count, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, count, p=PRIOR)
    sets = np.stack([transition.sample(truth, m, rng) for m in MATRICES])
    sets[rng.random(sets.shape) < missing] = -1
    return truth, sets


def test_one_step_by_hand():
    # Pictures 0 0 1 and 1 1 1: shares of votes (2/3, 1/3) and (0, 1), p = (1/3, 2/3).
    # Of class 1's weight 4/3 the first two annotators say 0 for 1/3: [1/4, 3/4].
    found = dawid_skene.fit(np.array([[0, 1], [0, 1], [1, 1]]), 2, max_iterations=1)
    np.testing.assert_allclose(found.prior, [1 / 3, 2 / 3])
    first, third = [[1, 0], [1 / 4, 3 / 4]], [[0, 1], [0, 1]]
    np.testing.assert_allclose(found.confusions, [first, first, third])
    # Picture 0: 1/3 against 2/3 1/4 1/4 = 1/24; picture 1: 0 against 2/3 9/16 = 3/8.
    np.testing.assert_allclose(found.posterior, [[8 / 9, 1 / 9], [0, 1]])
    assert found.log_likelihood == pytest.approx(2 * math.log(3 / 8))
    assert (found.iterations, found.converged) == (1, False)
    np.testing.assert_array_equal(found.classes, [0, 1])


def plain(sets, num_classes, iterations):
    """EM in plain probabilities, picture by picture."""
    k, n = sets.shape
    posterior = np.zeros((n, num_classes))
    for i in range(n):
        for label in sets[:, i]:
            posterior[i, label] += (label >= 0) / max(1, np.sum(sets[:, i] >= 0))
    for _ in range(iterations):
        prior = posterior.mean(axis=0)
        tables = np.zeros((k, num_classes, num_classes))
        for a in range(k):
            for i in np.flatnonzero(sets[a] >= 0):
                tables[a, :, sets[a, i]] += posterior[i]
        tables /= tables.sum(axis=2, keepdims=True)
        posterior = np.tile(prior, (n, 1))
        for a in range(k):
            for i in np.flatnonzero(sets[a] >= 0):
                posterior[i] *= tables[a, :, sets[a, i]]
        posterior /= posterior.sum(axis=1, keepdims=True)
    return posterior, tables


def test_equals_the_plain_algorithm():
    _, sets = simulate(200, seed=1, missing=0.2)
    sets = sets[:, (sets >= 0).any(axis=0)]
    found = dawid_skene.fit(sets, 3, max_iterations=7)
    posterior, tables = plain(sets, 3, 7)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-12)
    np.testing.assert_allclose(found.confusions, tables, atol=1e-12)


def test_recovers_what_generated_the_labels():
    truth, sets = simulate(40_000)
    found = dawid_skene.fit(sets, 3)
    assert found.converged
    np.testing.assert_allclose(found.confusions, MATRICES, atol=0.03)
    np.testing.assert_allclose(found.prior, PRIOR, atol=0.02)
    np.testing.assert_allclose(found.confusions.sum(axis=2), 1)
    # It knows whom to trust, the vote doesn't; and its probability is honest.
    wrong = found.classes != truth
    assert wrong.mean() < flips.noise_rate(flips.majority_vote(sets, 3), truth) - 0.01
    assert np.mean(1 - found.probability) == pytest.approx(wrong.mean(), abs=0.01)


def test_recovers_with_missing_labels():
    _, sets = simulate(40_000, seed=2, missing=0.3)
    found = dawid_skene.fit(sets, 3)
    np.testing.assert_allclose(found.confusions, MATRICES, atol=0.06)
    none = (sets < 0).all(axis=0)
    assert none.sum() > 500  # 0.3^3 of 40,000
    assert np.all(found.posterior[none] == 0) and np.all(found.classes[none] == -1)
    np.testing.assert_allclose(found.posterior[~none].sum(axis=1), 1)
    # They have no say: the same without them.
    alone = dawid_skene.fit(sets[:, ~none], 3)
    np.testing.assert_allclose(alone.posterior, found.posterior[~none], atol=1e-8)


def test_each_step_raises_the_likelihood():
    _, sets = simulate(300, seed=3, missing=0.2)
    steps = [
        dawid_skene.fit(sets, 3, max_iterations=i).log_likelihood for i in range(1, 30)
    ]
    assert np.all(np.diff(steps) > -1e-9) and steps[-1] > steps[0] + 1


def test_the_same_labels_give_the_same_bits_in_any_order_of_pictures():
    _, sets = simulate(500, seed=4)
    order = np.random.default_rng(0).permutation(500)
    one, other = dawid_skene.fit(sets, 3), dawid_skene.fit(sets[:, order], 3)
    np.testing.assert_array_equal(one.confusions, other.confusions)
    np.testing.assert_array_equal(one.posterior[order], other.posterior)


def test_a_class_nobody_says_and_an_annotator_without_labels():
    _, sets = simulate(1000, seed=5)
    sets = np.vstack([sets, np.full((1, 1000), -1)])
    found = dawid_skene.fit(sets, 4)
    assert found.prior[3] == 0 and np.all(found.posterior[:, 3] == 0)
    assert np.all(found.confusions[:, 3] == 0) and np.all(found.confusions[3] == 0)
    assert np.all(np.isfinite(found.posterior)) and np.isfinite(found.log_likelihood)
    three = dawid_skene.fit(sets[:3], 3)
    np.testing.assert_allclose(found.posterior[:, :3], three.posterior, atol=1e-9)


def test_many_annotators_do_not_underflow():
    # 2,000 annotators of accuracy 0.7: a picture's probability is far below 1e-308.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 20)
    sets = np.where(rng.random((2000, 20)) < 0.7, truth, 1 - truth)
    found = dawid_skene.fit(sets, 2)
    np.testing.assert_array_equal(found.classes, truth)
    assert found.log_likelihood < -5000


def test_one_annotator_is_believed():
    found = dawid_skene.fit(np.array([[0, 1, 1, -1]]), 2)
    np.testing.assert_array_equal(found.posterior, [[1, 0], [0, 1], [0, 1], [0, 0]])
    np.testing.assert_array_equal(found.confusions[0], np.eye(2))


def test_no_label_at_all_is_refused():
    with pytest.raises(UserError, match="None of the 2 label sets has a label"):
        dawid_skene.fit(np.full((2, 3), -1), 2)

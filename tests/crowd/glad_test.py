"""GLAD: recovers skill and ease, agrees with the votes where they are plain."""

import numpy as np
import pytest
from scipy import optimize, special

from kfer.crowd import glad, majority
from kfer.crowd.triples import Triples
from kfer.errors import UserError
from tests.crowd import crowds


def test_recovers_skill_and_ease():
    rng = np.random.default_rng(0)
    truth, skill = rng.integers(0, 4, 1500), rng.uniform(-0.5, 3, 40)
    ease = np.exp(rng.normal(0.5, 0.8, 1500))
    right = rng.random((40, 1500)) < special.expit(skill[:, None] * ease)
    wrong = (truth + rng.integers(1, 4, right.shape)) % 4
    triples = Triples.of_sets(np.where(right, truth, wrong), 4)
    found = glad.fit(triples)
    assert np.mean(found.classes == truth) > 0.99
    assert np.corrcoef(found.skill, skill)[0, 1] > 0.97
    assert np.corrcoef(np.log(found.ease), np.log(ease))[0, 1] > 0.7


def test_beats_the_vote_on_a_sparse_crowd():
    truth, triples = crowds.sparse()
    vote = crowds.accuracy(majority.drawn(triples), truth, triples)
    assert crowds.accuracy(glad.fit(triples).classes, truth, triples) > vote + 0.03


def test_the_posterior_by_hand():
    # Two labels of three classes, alpha beta = 1 each: odds of a named class over an
    # unnamed one are e (K - 1) = 2 e.
    triples = Triples.of_sets(np.array([[0], [1]]), 3)
    q = glad._expect(np.ones(3) / 3, np.array([1.0, 1.0, 0.0]), triples)
    odds = 2 * np.e
    np.testing.assert_allclose(q, [np.array([odds, odds, 1]) / (2 * odds + 1)])


def test_the_slope_is_that_of_the_likelihood(monkeypatch):
    _, triples = crowds.sparse(annotators=5, share=0.3, items=20)
    seen = {}

    def kept(downhill, start, **_):
        seen["error"] = optimize.check_grad(
            lambda x: downhill(x)[0], lambda x: downhill(x)[1], start
        )
        return optimize.OptimizeResult(x=start)

    monkeypatch.setattr(glad.optimize, "minimize", kept)
    right = np.random.default_rng(0).random(len(triples.item))
    start = np.random.default_rng(1).normal(1, 0.3, 25)
    glad._maximise(start, right, triples)
    assert seen["error"] < 1e-4


def test_unlabelled_items_and_one_class():
    triples = Triples.of_sets(np.array([[0, -1], [0, -1]]), 2)
    found = glad.fit(triples)
    np.testing.assert_array_equal(found.classes, [0, -1])
    with pytest.raises(UserError, match="two classes"):
        glad.fit(Triples.of_sets(np.array([[0]]), 1))

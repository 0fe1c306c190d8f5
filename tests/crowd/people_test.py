"""What is known of each person: by hand, honest intervals, ids that mean nothing."""

import numpy as np
import pytest
from scipy import stats

from kfer.crowd import dawid_skene, people
from kfer.crowd.triples import Triples
from tests.crowd import crowds


def test_wilson_by_hand():
    # 8 of 10: z = 1.96, centre (8 + 1.9207) / 13.8415 = .7167, half of the width
    # 1.96 sqrt(10 .8 .2 + .9604) / 13.8415 = .2266.
    low, high = people.wilson(np.array([8.0, 0.0]), np.array([10, 0]))
    np.testing.assert_allclose(low, [0.4902, 0], atol=1e-4)
    np.testing.assert_allclose(high, [0.9433, 1], atol=1e-4)
    exact = stats.binomtest(37, 120).proportion_ci(method="wilson")
    np.testing.assert_allclose(people.wilson(37, 120), exact)
    # All of half a trial: centre (.5 + 1.9207) / 4.3415 = .5576, half of the width
    # 1.96 sqrt(.9604) / 4.3415 = .4424.
    low, high = people.wilson(np.array([0.5]), np.array([0.5]))
    np.testing.assert_allclose([low[0], high[0]], [0.1152, 1], atol=1e-4)


def test_shares_by_the_truth_by_hand():
    triples = Triples.of_sets(np.array([[0, 1, 1], [-1, -1, 0]]), 2)
    found = people.right_by_truth(triples, np.array([0, 0, -1]))
    np.testing.assert_array_equal(found.compared, [2, 0])
    assert found.share[0] == 0.5 and np.isnan(found.share[1])


def test_nobody_is_judged_by_their_own_label():
    # One who only ever stands alone can't be judged; two who share can.
    sets = np.array([[0, 0, 1, -1], [1, 0, 1, -1], [-1, -1, -1, 0]])
    triples = Triples.of_sets(sets, 2)
    found = dawid_skene.fit(triples, 10.0)
    shares = people.right_by_others(triples, found)
    np.testing.assert_array_equal(shares.compared, [3, 3, 0])
    assert np.isnan(shares.share[2]) and (shares.low[2], shares.high[2]) == (0, 1)


def test_the_likeliest_rate_by_hand():
    # Certain judges: 3 of 4 right, and one label more at the mean rate, .75.
    said = Triples.of_sets(np.zeros((1, 4), int), 3)
    found = people._likeliest(said, np.array([1.0, 1.0, 1.0, 0.0]))
    assert found.share[0] == pytest.approx(0.75)
    np.testing.assert_allclose(
        [found.low[0], found.high[0]], np.ravel(people.wilson(3, 4)), atol=1e-6
    )
    # Judges who know nothing (1/3 of three classes): the interval says so.
    found = people._likeliest(said, np.full(4, 1 / 3))
    np.testing.assert_allclose([found.low[0], found.high[0]], [0, 1])


def test_right_by_others_is_near_right_by_truth():
    truth, triples = crowds.sparse(annotators=60, share=0.1)
    found = dawid_skene.fit_held_out(triples)
    told, known = (
        people.right_by_others(triples, found),
        people.right_by_truth(triples, truth),
    )
    assert np.corrcoef(told.share, known.share)[0, 1] > 0.97
    # The truth lies within nearly all intervals.
    inside = (told.low <= known.share) & (known.share <= told.high)
    assert inside.mean() > 0.9


def test_few_labels_say_nothing():
    shares = people.Shares(
        np.array([0, 10, 200]),
        np.array([np.nan, 0.8, 0.8]),
        *people.wilson(np.array([0.0, 8.0, 160.0]), np.array([0, 10, 200])),
    )
    np.testing.assert_array_equal(people.says_enough(shares), [False, False, True])


def test_people_of_one_mind_are_one_group():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 600)
    swap = np.array([1, 0, 2, 3])
    kinds = np.repeat([0, 1, 2], [8, 5, 1])
    sets = np.stack(
        [(truth, swap[truth], rng.integers(0, 4, 600))[kind] for kind in kinds]
    )
    noisy = np.where(rng.random(sets.shape) < 0.1, rng.integers(0, 4, sets.shape), sets)
    triples = Triples.of_sets(noisy, 4)
    found = dawid_skene.fit_held_out(triples)
    chosen = np.ones(14, bool)
    chosen[0] = False
    groups = people.clusters(found, triples.of_annotator(), chosen)
    np.testing.assert_array_equal(groups, [-1] + [0] * 7 + [1] * 5 + [2])
    assert people.clusters(found, triples.of_annotator(), kinds == 2).tolist() == [
        -1
    ] * 13 + [0]


def test_shuffled_names_spread_as_chance_and_real_ones_do_not():
    _, triples = crowds.sparse(annotators=60, share=0.1)
    real = people.spread(triples)
    assert real.ratio > 2 and real.probability < 1e-6 and real.annotators == 60
    # Names dealt anew within each picture: labels and pictures stay.
    ratios = []
    for seed in range(40):
        key = np.random.default_rng(seed).random(len(triples.item))
        before = np.lexsort((triples.annotator, triples.item))
        after = np.lexsort((key, triples.item))
        dealt = np.empty_like(triples.annotator)
        dealt[before] = triples.annotator[after]
        shuffled = Triples(
            triples.item[before], dealt[before], triples.label[before], 2000, 60, 7
        )
        ratios.append(people.spread(shuffled).ratio ** 2)
    # A mean of 40 averages of 60 squares: 1 give or take .03.
    assert np.mean(ratios) == pytest.approx(1, abs=0.1)


def test_the_spread_by_hand():
    # 12 pictures of three: a and b agree always, c never. Agreement 1/2 1/2 0, mean
    # 1/3, variance 1/18; over 12 pictures the sums are 2 2 -4, and their squares over
    # 12 / 18 are 6 6 24: mean 12. Two of the three sums say the third: 2 degrees of
    # freedom.
    triples = Triples.of_sets(np.tile([[0], [0], [1]], (1, 12)), 2)
    found = people.spread(triples)
    assert found.ratio == pytest.approx(np.sqrt(12))
    assert found.probability == pytest.approx(stats.chi2.sf(24, 2))
    assert (found.annotators, found.labels) == (3, 36)
    assert people.spread(Triples.of_sets(np.array([[0, -1], [-1, 0]]), 2)) is None


def test_degrees_of_freedom_where_few_share_pictures_by_hand():
    # a b c share 6 pictures, c d e others: agreement 1/2 1/2 0 with variance 1/18. Sums
    # have the variance 6/18, c's twice that. r is -1/2 of a and b as of d and e, and
    # -1/2 / sqrt(2) of c and each: the squares of all pairs add up to
    # 2 (2/4 + 4/8) = 2, and 25 / (5 + 2) are left of 5.
    sets = np.full((5, 12), -1)
    sets[:3, :6] = [[0], [0], [1]]
    sets[2:, 6:] = [[0], [1], [1]]
    # Sums 1 1 -2 + (-2) 1 1: squares over the variance 3 3 24 3 3, mean 7.2.
    found = people.spread(Triples.of_sets(sets, 2))
    assert found.ratio == pytest.approx(np.sqrt(7.2))
    assert found.probability == pytest.approx(stats.chi2.sf(7.2 * 25 / 7, 25 / 7))


def test_people_alike_are_told_apart_as_often_as_is_said():
    rng = np.random.default_rng(0)
    alarms = {}
    for annotators in (3, 4, 5, 10):
        told = []
        for _ in range(1000):
            truth = rng.integers(0, 3, 100)
            said = rng.integers(0, 3, (annotators, 100))
            sets = np.where(rng.random(said.shape) < 0.3, said, truth)
            told.append(people.spread(Triples.of_sets(sets, 3)).probability)
        alarms[annotators] = np.mean(np.array(told) < 0.05)
        # Give or take 2.5 standard deviations of a thousand draws.
        assert alarms[annotators] == pytest.approx(0.05, abs=0.0172)
    # Two of 4,000.
    assert np.mean(list(alarms.values())) == pytest.approx(0.05, abs=0.0069)


def test_right_by_a_posterior_that_knows_none_of_the_labels():
    # annotator 0 is right in 2 of 3, annotator 1 in 1 of 1: with one label more at the
    # crowd's rate of 3/4, (2 + .75) / 4 and (1 + .75) / 2
    triples = Triples(
        np.array([0, 1, 2, 2]), np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0]), 3, 2, 2
    )
    posterior = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    found = people.right_by_posterior(triples, posterior)
    assert found.share == pytest.approx([0.6875, 0.875])
    assert found.compared.tolist() == [3, 1]

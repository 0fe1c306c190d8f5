"""Gaussian annotators: the steps by hand, recovery, better than the mean, units."""

import numpy as np
import pytest

from kfer.crowd import values
from kfer.crowd.triples import Values
from kfer.errors import UserError


def simulate(items=1500, annotators=100, share=0.04, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(5.0, 1.5, items)
    bias, scale = rng.normal(0, 0.8, annotators), np.exp(rng.normal(0, 0.3, annotators))
    spread = np.exp(rng.normal(-0.3, 0.5, annotators))
    item, who = np.nonzero(rng.random((items, annotators)) < share)
    noise = spread[who] * rng.normal(size=len(item))
    said = bias[who] + scale[who] * (truth[item] - 5.0) + 5.0 + noise
    return truth, bias, scale, spread, Values(item, who, said, items, annotators)


def test_expectation_by_hand():
    # Truth normal (0, 1). One says 1 = 0 + y with variance 1, another 3 = 1 + 2 y with
    # variance 4: precision 1 + 1 + 1, centre 1 + 2 (3 - 1) / 4 = 2.
    zero, one = np.zeros(2, int), np.arange(2)
    given = Values(zero, one, np.array([1.0, 3.0]), 1, 2)
    mean, variance = values._expect(
        given,
        given.value,
        np.array([0.0, 1.0]),
        np.array([1.0, 2.0]),
        np.array([1.0, 4.0]),
        np.array([0.0, 1.0]),
    )
    np.testing.assert_allclose(mean, [2 / 3])
    np.testing.assert_allclose(variance, [1 / 3])


def test_recovers_annotators_and_beats_the_mean():
    truth, bias, scale, spread, given = simulate()
    found = values.fit_held_out(given)
    count = given.by_item(np.ones(len(given.value)))
    has = count > 0
    mean = given.by_item(given.value)[has] / count[has]
    assert found.converged
    of_mean = np.sqrt(np.mean((mean - truth[has]) ** 2))
    of_model = np.sqrt(np.mean((found.mean - truth)[has] ** 2))
    assert of_model < 0.6 * of_mean
    level = found.bias + (found.scale - 1) * 5.0
    assert np.corrcoef(level, bias)[0, 1] > 0.9
    assert np.corrcoef(found.scale, scale)[0, 1] > 0.8
    assert np.corrcoef(found.spread, spread)[0, 1] > 0.85
    assert found.items[0] == pytest.approx(5.0, abs=0.2)


def test_units_do_not_matter():
    *_, given = simulate(items=300, annotators=20, share=0.2)
    found = values.fit(given)
    other = Values(given.item, given.annotator, given.value * 100 - 7, 300, 20)
    scaled = values.fit(other)
    np.testing.assert_allclose(scaled.mean, found.mean * 100 - 7, rtol=1e-6)
    np.testing.assert_allclose(scaled.spread, found.spread * 100, rtol=1e-6)
    np.testing.assert_allclose(scaled.scale, found.scale, rtol=1e-6)


def test_an_annotator_of_one_value_stays_near_the_crowd():
    *_, given = simulate(items=300, annotators=20, share=0.2)
    item, who = np.append(given.item, 0), np.append(given.annotator, 20)
    one = Values(item, who, np.append(given.value, 9.0), 300, 21)
    found = values.fit(one, strength=10.0)
    assert abs(found.scale[20] - 1) < 0.4
    assert (
        0.3 * np.median(found.spread) < found.spread[20] < 3 * np.median(found.spread)
    )


def test_the_density_of_the_unseen_by_hand():
    found = values.ValueConsensus(
        mean=np.array([1.0, np.nan]),
        deviation=np.array([0.0, np.nan]),
        bias=np.array([0.5]),
        scale=np.array([2.0]),
        spread=np.array([1.0]),
        items=(0.0, 0.5),
        strength=1.0,
        iterations=1,
        converged=True,
    )
    held = Values(np.array([0, 1]), np.zeros(2, int), np.array([3.5, 0.5]), 2, 1)
    # Off by 3.5 - .5 - 2 = 1 with variance 1; by 0 with variance 1 + (2 .5)^2 = 2.
    expected = -0.5 * np.array([np.log(2 * np.pi) + 1, np.log(2 * np.pi * 2)])
    np.testing.assert_allclose(values.log_density(found, held), expected)


def test_items_without_a_value_and_none_at_all():
    found = values.fit(Values.of_sets(np.array([[1.0, np.nan], [2.0, np.nan]])))
    assert np.isfinite(found.mean[0]) and np.isnan(found.mean[1])
    with pytest.raises(UserError, match="None of 2 annotators gave a value"):
        values.fit(Values.of_sets(np.full((2, 3), np.nan)))

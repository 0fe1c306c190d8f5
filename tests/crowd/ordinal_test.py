"""Ratings: the matrix by hand, recovery, near misses count as near."""

import numpy as np
import pytest
from scipy import special

from kfer.crowd import dawid_skene, ordinal
from kfer.crowd.triples import Triples


def test_the_matrix_by_hand():
    found = ordinal.matrix(0.0, 1.0, 3)
    half, more = special.ndtr(0.5), special.ndtr(1.5)
    # From the middle step: each end beyond half a step.
    np.testing.assert_allclose(found[1], [1 - half, 2 * half - 1, 1 - half])
    np.testing.assert_allclose(found[0], [half, more - half, 1 - more])
    # A bias of one step moves the row by one.
    np.testing.assert_allclose(ordinal.matrix(1.0, 1.0, 3)[0], found[1])


def test_bias_and_spread_come_from_counts():
    counts = 1000 * ordinal.matrix(np.array([0.5, -1.0]), np.array([0.5, 1.2]), 7)
    bias, spread = ordinal.annotators(counts, 0.0)
    np.testing.assert_allclose(bias, [0.5, -1.0], atol=0.13)
    np.testing.assert_allclose(spread, [0.5, 1.2], rtol=0.15)


def test_an_annotator_without_labels_is_the_mean_one():
    counts = 1000 * ordinal.matrix(np.array([0.5, 0.5]), np.array([0.8, 0.8]), 5)
    counts[1] = 0
    bias, spread = ordinal.annotators(counts, 3.0)
    assert bias[1] == bias[0] and spread[1] == spread[0]


def test_knows_more_than_free_matrices_of_few_ratings():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 7, 1000)
    bias, spread = rng.normal(0, 0.8, 100), np.exp(rng.normal(-0.3, 0.4, 100))
    item, who = np.nonzero(rng.random((1000, 100)) < 0.04)
    felt = truth[item] + bias[who] + spread[who] * rng.normal(size=len(item))
    said = np.clip(np.round(felt), 0, 6).astype(int)
    triples = Triples(item, who, said, 1000, 100, 7)
    labelled = triples.of_item() > 0
    right = {
        name: np.mean((fit(triples).classes == truth)[labelled])
        for name, fit in (
            ("ordinal", ordinal.fit_held_out),
            ("free", dawid_skene.fit_held_out),
        )
    }
    assert right["ordinal"] > 0.7 and right["ordinal"] > right["free"] + 0.2


def test_two_steps_are_enough():
    found = ordinal.matrix(0.0, 1.0, 2)
    np.testing.assert_allclose(
        found,
        [[special.ndtr(0.5), 1 - special.ndtr(0.5)]] * 1
        + [[1 - special.ndtr(0.5), special.ndtr(0.5)]],
    )
    assert found.sum() == pytest.approx(2.0)

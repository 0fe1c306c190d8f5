"""The crowd's consensus: better than votes, chosen blind, fast. The plain model's own
tests are in tests/audit/dawid_skene_test.py."""

import dataclasses
import pathlib

import numpy as np
import pandas as pd
import pytest

from kfer.crowd import confusion, dawid_skene, majority
from kfer.crowd.triples import Triples
from kfer.errors import UserError
from tests.crowd import crowds

SHARED = pathlib.Path(__file__).parents[2] / "../shared/data"
MUSIC = SHARED / "music_crowd.csv"


def test_shrinkage_keeps_a_sparse_crowd_at_least_at_the_one_coin_model():
    # Forty labels an annotator, four a picture. Simulated by the one-coin model, which
    # is therefore the bound; free matrices fall behind the vote.
    for seed in range(2):
        truth, triples = crowds.sparse(seed=seed)
        one_coin = dawid_skene.fit(triples, matrices=confusion.one_coin_matrices)
        vote, free, coin, shrunk = (
            crowds.accuracy(classes, truth, triples)
            for classes in (
                majority.drawn(triples),
                dawid_skene.fit(triples).classes,
                one_coin.classes,
                dawid_skene.fit_held_out(triples).classes,
            )
        )
        assert free < vote + 0.01
        assert shrunk > max(0.89, coin - 0.006) and shrunk > vote + 0.03


def test_the_consensus_is_one_coin_s_where_that_foretells_better():
    # A thousand pictures, 2.5 labels each, errors spread evenly; then 20 who swap.
    truth, triples = crowds.sparse(annotators=50, share=0.05, items=1000)
    coin = dawid_skene.fit(triples, matrices=confusion.one_coin_matrices)
    found = dawid_skene.consensus(triples)
    np.testing.assert_array_equal(found.posterior, coin.posterior)
    assert found.strength == np.inf
    swapped = np.array([1, 0, *range(2, 7)])[triples.label]
    label = np.where(triples.annotator < 20, swapped, triples.label)
    swapping = dataclasses.replace(triples, label=label)
    shrunk = dawid_skene.fit_held_out(swapping)
    found = dawid_skene.consensus(swapping)
    np.testing.assert_array_equal(found.posterior, shrunk.posterior)
    assert crowds.accuracy(found.classes, truth, swapping) > 0.5


@pytest.mark.skipif(not MUSIC.exists(), reason="../shared/data is not here")
def test_a_real_crowd():
    # 44 people, 2,945 labels, 700 items; .560 of the labels are right.
    rows = pd.read_csv(MUSIC)
    item, _ = pd.factorize(rows["item"])
    annotator, _ = pd.factorize(rows["annotator"])
    classes = np.unique(rows["truth"])
    label = np.searchsorted(classes, rows["label"])
    triples = Triples(item, annotator, label, 700, 44, 10)
    truth = np.searchsorted(classes, rows.groupby(item)["truth"].first())
    vote = majority.shared(triples)[np.arange(700), truth].mean()
    assert vote == pytest.approx(0.704, abs=5e-4)
    found = dawid_skene.consensus(triples)
    assert np.mean(found.classes == truth) > 0.78


def test_the_strength_falls_where_annotators_have_matrices_of_their_own():
    # Three annotators label everything; two swap classes of their own.
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 4000)
    swap = np.array([[1, 0, 2, 3], [0, 1, 3, 2], [0, 1, 2, 3]])
    swaps = rng.random((3, 4000)) < 0.4
    sets = np.where(swaps, swap[:, truth], truth)
    found = dawid_skene.fit_held_out(Triples.of_sets(sets, 4))
    assert found.strength <= 30
    assert found.confusions[0, 0, 1] == pytest.approx(0.4, abs=0.03)
    assert found.confusions[1, 0, 1] < 0.03
    _, sparse = crowds.sparse()
    assert dawid_skene.fit_held_out(sparse).strength >= 30


def test_held_out_labels_are_those_that_the_fit_has_not_seen():
    _, triples = crowds.sparse(annotators=30, share=0.2, items=300)
    scores = {s: dawid_skene.held_out(triples, s) for s in (0.01, 10.0)}
    assert scores[10.0] > scores[0.01] + 0.05
    # A label of class l by one who says 0 always: known to be 0 with near certainty.
    always = Triples(np.arange(50), np.zeros(50, int), np.zeros(50, int), 50, 1, 2)
    assert dawid_skene.held_out(always, 3.0) > np.log(0.9)


def test_foretold_by_hand():
    found = dawid_skene.Consensus(
        posterior=np.array([[0.5, 0.5], [0.0, 0.0]]),
        prior=np.array([0.25, 0.75]),
        confusions=np.array([[[0.9, 0.1], [0.2, 0.8]]]),
        log_likelihood=0.0,
        iterations=1,
        converged=True,
    )
    held = Triples(np.array([0, 1]), np.array([0, 0]), np.array([0, 0]), 2, 1, 2)
    # .5 .9 + .5 .2 = .55; an item without a label has the prior: .25 .9 + .75 .2.
    np.testing.assert_allclose(dawid_skene.foretold(found, held), [0.55, 0.375])


def test_weights_stand_for_repeated_items():
    sets = np.array([[0, 1, 1], [0, 1, 0], [1, 1, 0]])
    many = np.repeat(sets, [3, 1, 2], axis=1)
    one = dawid_skene.fit(Triples.of_sets(sets, 2), weights=np.array([3, 1, 2]))
    other = dawid_skene.fit(Triples.of_sets(many, 2))
    np.testing.assert_allclose(one.confusions, other.confusions, atol=1e-12)
    assert one.log_likelihood == pytest.approx(other.log_likelihood)
    assert one.converged is True  # a plain bool: it goes into a JSON file


def test_no_label_is_refused():
    none = np.array([], int)
    with pytest.raises(UserError, match="None of 4 annotators gave a label"):
        dawid_skene.fit(Triples(none, none, none, 3, 4, 2))

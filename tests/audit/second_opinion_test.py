"""Proposals against labels held back: by hand, and with models good and bad."""

import numpy as np
import pytest

from kfer.audit import second_opinion, truth
from kfer.audit.second_opinion import Opinion
from kfer.crowd import dawid_skene
from kfer.crowd.triples import Triples
from tests.crowd import crowds


def test_the_sign_test_by_hand():
    assert Opinion(19, 0).beats is None  # 19 are too few
    # P(15 or more of 20) = .0207, of 14 .0577.
    assert Opinion(15, 5).beats is True and Opinion(14, 6).beats is False
    assert Opinion(100, 400).beats is False


def test_proposals_by_hand():
    triples = Triples.of_sets(np.array([[0, 1], [1, 1]]), 2)
    q = np.array([[0.2, 0.8], [0.45, 0.55]])
    best, changed = second_opinion.proposals(triples, q, 0.5)
    np.testing.assert_array_equal(best, [1, 1])
    # Of item 0, annotator 0's label has doubt .8.
    changes = zip(triples.item[changed], triples.annotator[changed], strict=True)
    assert list(changes) == [(0, 0)]


def model(truth_, accuracy, rng, sure=0.97):
    said = np.where(
        rng.random(len(truth_)) < accuracy, truth_, rng.integers(0, 7, len(truth_))
    )
    found = np.full((len(truth_), 7), (1 - sure) / 6)
    found[np.arange(len(truth_)), said] = sure
    return found


def noise_after(triples, posterior, truth_):
    best, changed = second_opinion.proposals(triples, posterior, 0.5)
    new = np.where(changed, best[triples.item], triples.label)
    return np.mean(new != truth_[triples.item])


@pytest.mark.parametrize("accuracy", [0.2, 0.8])
def test_it_tells_who_beats_the_annotators_without_the_truth(accuracy):
    rng = np.random.default_rng(0)
    truth_, triples = crowds.sparse(annotators=50, share=0.03)
    answers = model(truth_, accuracy, rng)
    strength = dawid_skene.fit_held_out(triples).strength
    before = np.mean(triples.label != truth_[triples.item])
    accounts = {
        "model": lambda _: answers,
        "free": lambda kept: truth.fit_triples(answers, kept).posterior,
        "shrunk": lambda kept: truth.fit_triples(answers, kept, strength).posterior,
    }
    for name, posterior_of in accounts.items():
        after = noise_after(triples, posterior_of(triples), truth_)
        told = second_opinion.ask(triples, posterior_of, 0.5)
        if told.beats:
            assert after < before, name
        elif after < before:
            # It is cautious, but not about what halves the noise.
            assert after > before / 2, name
    # A weak model that is sure of itself makes labels worse alone; with shrunk
    # matrices it is weighed.
    assert second_opinion.ask(triples, accounts["shrunk"], 0.5).beats
    alone = second_opinion.ask(triples, accounts["model"], 0.5).beats
    assert alone is (accuracy == 0.8)


def test_no_second_label_is_no_opinion():
    triples = Triples.of_sets(np.array([[0, 1, 1, 0]]), 2)
    told = second_opinion.ask(triples, lambda _: np.tile([0.1, 0.9], (4, 1)), 0.5)
    assert told == Opinion(0, 0) and told.beats is None

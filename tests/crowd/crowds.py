"""Simulated crowds, and a plain twin of EM."""

import numpy as np

from kfer.crowd.triples import Triples

PRIOR = np.array([0.3, 0.25, 0.15, 0.1, 0.05, 0.05, 0.1])


def sparse(annotators=200, share=0.02, items=2000, seed=0):
    """Half of the annotators good, a third poor, the rest guess.

    Returns:
      truth [items] and the labels, of 7 classes.
    """
    rng = np.random.default_rng(seed)
    truth = rng.choice(7, items, p=PRIOR)
    kinds = np.repeat(
        [0.85, 0.55, 1 / 7], [annotators // 2, annotators // 3, annotators]
    )
    skill = rng.permutation(kinds[:annotators])
    annotator, item = np.nonzero(rng.random((annotators, items)) < share)
    right = rng.random(len(item)) < skill[annotator]
    label = np.where(right, truth[item], rng.integers(0, 7, len(item)))
    return truth, Triples(item, annotator, label, items, annotators, 7)


def accuracy(classes, truth, triples):
    """The share of right classes among the items that have a label."""
    labelled = triples.of_item() > 0
    return float(np.mean(classes[labelled] == truth[labelled]))

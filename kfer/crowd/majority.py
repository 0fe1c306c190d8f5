"""Votes: the plainest consensus."""

import numpy as np

from kfer.crowd import confusion
from kfer.crowd.triples import Triples, mixed


def shares(triples: Triples) -> np.ndarray:
    """Each class's share of an item's labels, float64 [N, K]; 0 without a label."""
    return confusion.normalised(triples.votes())


def shared(triples: Triples) -> np.ndarray:
    """The majority with ties shared, float64 [N, K]: two equal classes get 1/2 each.

    The mean of `shared[i, truth[i]]` is what drawing ties at random scores on average.
    """
    votes = triples.votes()
    top = votes.max(axis=1, keepdims=True)
    return confusion.normalised(((votes == top) & (top > 0)).astype(np.float64))


def drawn(triples: Triples, keys: np.ndarray | None = None) -> np.ndarray:
    """The majority with ties drawn, int64 [N]; -1 without a label.

    A tie is settled by a hash of the item, so it depends on neither the order of the
    classes nor that of the annotators, and is the same in every run.

    Args:
      triples: L labels of N items.
      keys: integers [N] that name the items; their number by default.
    """
    votes = triples.votes()
    count, classes = votes.shape
    keys = np.arange(count) if keys is None else np.asarray(keys)
    # A number below 1 for each item and class, added to whole votes.
    chance = mixed(keys[:, None] * classes + np.arange(classes)) >> np.uint64(11)
    winner = (votes + chance / 2.0**53).argmax(axis=1)
    return np.where(votes.any(axis=1), winner, -1)

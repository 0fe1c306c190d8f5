"""Votes by hand; a tie knows neither columns nor classes."""

import numpy as np

from kfer.crowd import majority
from kfer.crowd.triples import Triples

# Item 0: 0 0 1; item 1: 0 against 1; item 2: nobody.
SETS = np.array([[0, 0, -1], [0, 1, -1], [1, -1, -1]])


def test_shares_and_shared_ties_by_hand():
    triples = Triples.of_sets(SETS, 3)
    np.testing.assert_allclose(
        majority.shares(triples), [[2 / 3, 1 / 3, 0], [0.5, 0.5, 0], [0, 0, 0]]
    )
    np.testing.assert_allclose(
        majority.shared(triples), [[1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]]
    )


def test_drawn_ties_are_even_and_the_same_in_any_order_of_annotators():
    tie = np.array([[1] * 4000, [2] * 4000])
    found = majority.drawn(Triples.of_sets(tie, 3))
    assert set(found) == {1, 2}
    assert abs(np.mean(found == 1) - 0.5) < 0.03  # 4,000 draws: .008 a sigma
    turned = majority.drawn(Triples.of_sets(tie[::-1], 3))
    np.testing.assert_array_equal(turned, found)


def test_drawn_is_the_majority_where_there_is_one_and_follows_the_key():
    triples = Triples.of_sets(SETS, 3)
    found = majority.drawn(triples)
    assert found[0] == 0 and found[2] == -1 and found[1] in (0, 1)
    by_key = [majority.drawn(triples, np.full(3, key))[1] for key in range(40)]
    assert set(by_key) == {0, 1}

"""Triples: sums by hand, the two ways in, hashes, refusals."""

import numpy as np
import pytest

from kfer.crowd import triples
from kfer.crowd.triples import Triples, Values
from kfer.errors import UserError

# Annotator 0 says 1 of item 0 and 0 of item 2, annotator 1 says 1 of item 0.
SETS = np.array([[1, -1, 0], [1, -1, -1]])


def test_sums_by_hand():
    found = Triples.of_sets(SETS, 2)
    np.testing.assert_array_equal(found.item, [0, 2, 0])
    np.testing.assert_array_equal(found.annotator, [0, 0, 1])
    np.testing.assert_array_equal(found.label, [1, 0, 1])
    np.testing.assert_array_equal(found.votes(), [[0, 2], [0, 0], [1, 0]])
    np.testing.assert_array_equal(found.of_annotator(), [2, 1])
    np.testing.assert_array_equal(found.of_item(), [2, 0, 1])
    # Columns: annotator 0 says 0, says 1; annotator 1 says 0, says 1.
    said = [[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]
    np.testing.assert_array_equal(found.says.toarray(), said)
    np.testing.assert_array_equal(found.heard.toarray(), np.transpose(said))


def test_where_keeps_the_sizes():
    kept = Triples.of_sets(SETS, 2).where(np.array([True, False, False]))
    assert (kept.num_items, kept.num_annotators, len(kept.item)) == (3, 2, 1)


def test_values_by_hand():
    found = Values.of_sets(np.array([[0.5, np.nan], [1.5, -1.0]]))
    np.testing.assert_array_equal(found.value, [0.5, 1.5, -1.0])
    np.testing.assert_array_equal(found.by_item(found.value), [2.0, -1.0])
    np.testing.assert_array_equal(found.by_annotator(found.value), [0.5, 0.5])
    assert len(found.where(found.value > 0).value) == 2


def test_folds_follow_the_pair_and_are_even():
    item, annotator = np.repeat(np.arange(200), 50), np.tile(np.arange(50), 200)
    given = Triples(item, annotator, np.zeros_like(item), 200, 50, 2)
    found = triples.fold(given, 4)
    order = np.random.default_rng(0).permutation(len(item))
    np.testing.assert_array_equal(triples.fold(given.where(order), 4), found[order])
    # 10,000 labels: 2,500 each, give or take 43.
    np.testing.assert_allclose(np.bincount(found), 2500, atol=200)
    # Neither an item nor an annotator is held out as a whole.
    assert np.all(np.bincount(item, found == 0) > 0)
    assert np.all(np.bincount(annotator, found == 0) > 0)


def test_a_picture_keeps_its_fold_among_other_pictures():
    """'b' is the second of three, then the first of two: its label's fold is the same,
    which follows from its id."""
    one = np.zeros(3, int)
    three = Triples(np.arange(3), one, one, 3, 1, 2, triples.keys_of(["a", "b", "c"]))
    two = Triples(np.arange(2), one[:2], one[:2], 2, 1, 2, triples.keys_of(["b", "d"]))
    assert all(
        triples.fold(three, folds)[1] == triples.fold(two, folds)[0]
        for folds in range(2, 50)
    )


@pytest.mark.parametrize(
    "item, annotator, label, message",
    [
        ([3], [0], [0], "item of a label lies outside 0 to 2: 3 to 3"),
        ([0], [-1], [0], "annotator of a label lies outside 0 to 1: -1 to -1"),
        ([0], [0], [2], "class label lies outside 0 to 1: 2 to 2"),
    ],
)
def test_what_lies_outside_is_refused(item, annotator, label, message):
    rows = np.array(item), np.array(annotator), np.array(label)
    with pytest.raises(UserError, match=message):
        Triples(*rows, 3, 2, 2)


def test_a_value_that_is_no_number_is_refused():
    one = np.array([0])
    with pytest.raises(UserError, match="not a finite number"):
        Values(one, one, np.array([np.inf]), 1, 1)

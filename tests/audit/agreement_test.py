"""Agreement, by hand and by Fleiss' own example."""

import numpy as np
import pytest

from kfer.audit import agreement
from kfer.errors import UserError

# Annotator 3 labels three pictures only, annotator 4 none.
SETS = np.array(
    [[0, 0, 1, 1, -1], [0, 1, 1, 1, -1], [0, -1, 1, 0, -1], [-1, -1, -1, -1, -1]]
)


def test_pairwise_by_hand():
    found = agreement.pairwise(SETS, 2)
    assert found["both"][0] == [4, 4, 3, 0]
    assert found["agreement"][0] == [1, 3 / 4, 2 / 3, None]
    # Of 4, the first says 0 twice and the second once: chance 2/4 1/4 + 2/4 3/4 = 1/2.
    assert found["kappa"][0][1] == pytest.approx((3 / 4 - 1 / 2) / (1 / 2))
    # Pictures 0, 2, 3: 0 1 1 and 0 1 0: chance 1/3 2/3 + 2/3 1/3 = 4/9.
    assert found["kappa"][2][0] == pytest.approx((2 / 3 - 4 / 9) / (5 / 9))
    assert found["kappa"][3] == [None] * 4


def test_votes_by_hand():
    np.testing.assert_array_equal(
        agreement.votes(SETS, 3),
        [[3, 0, 0], [1, 1, 0], [0, 3, 0], [1, 2, 0], [0, 0, 0]],
    )


def test_fleiss_kappa_of_a_known_table():
    # 14 raters, 10 subjects, 5 classes: P = 0.378, P_e = 0.213, kappa 0.210.
    counts = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert round(agreement.fleiss_kappa(counts), 3) == 0.210


def test_fleiss_kappa_with_missing_labels_by_hand():
    # Pictures of votes (3, 0), (1, 1), (0, 3), (1, 2); the one without a label and one
    # of a single label are left out. Pairs that agree: 1, 0, 1, 1/3.
    # p_0 = (1 + 1/2 + 0 + 1/3) / 4 = 11/24, chance (11^2 + 13^2) / 24^2 = 290/576.
    counts = np.array([[3, 0], [1, 1], [0, 3], [1, 2], [0, 0], [1, 0]])
    observed, chance = (1 + 0 + 1 + 1 / 3) / 4, 290 / 576
    assert agreement.fleiss_kappa(counts) == pytest.approx(
        (observed - chance) / (1 - chance)
    )


def test_kappa_is_unknown_where_nothing_tells():
    assert agreement.fleiss_kappa(np.array([[1, 0], [0, 0]])) is None
    assert agreement.fleiss_kappa(np.array([[2, 0], [3, 0]])) is None  # one class


def test_unanimity_by_hand():
    found = agreement.unanimity(agreement.votes(SETS, 2))
    assert found == {
        "labels": [1, 0, 1, 3],
        "compared": 4,
        "all_agree": 2 / 4,
        "no_majority": 1 / 4,
    }
    nothing = agreement.unanimity(np.array([[1, 0]]))
    assert nothing["compared"] == 0 and nothing["all_agree"] is None


def test_a_label_out_of_range_is_refused():
    with pytest.raises(UserError, match=r"Label 2 is not in 0\.\.1"):
        agreement.votes(np.array([[0, 2]]), 2)

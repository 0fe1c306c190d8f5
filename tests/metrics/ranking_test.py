"""Average precision by hand, with ties, and against chance."""

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.metrics import ranking


def test_by_hand():
    # Sought are first and third: precision 1 at recall 1/2, then 2/3 at recall 1.
    found = ranking.average_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    assert found == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    # The order they come in is of no account.
    again = ranking.average_precision([0, 1, 0, 1], [0.1, 0.7, 0.8, 0.9])
    assert again == found


def test_equal_scores_count_as_one():
    # The two of 0.5 come together: precision 1/2, then 2/3.
    found = ranking.average_precision([1, 0, 1], [0.5, 0.5, 0.1])
    assert found == pytest.approx(1 / 2 * 1 / 2 + 1 / 2 * 2 / 3)
    assert ranking.average_precision([0, 1, 1, 0], [3, 3, 3, 3]) == 0.5


def test_best_worst_and_chance():
    assert ranking.average_precision([0, 1, 1], [-1, 2, np.inf]) == 1
    assert ranking.average_precision([1, 0, 0, 0], [0, 1, 2, 3]) == 1 / 4
    rng = np.random.default_rng(0)
    sought = rng.random(20_000) < 0.2
    assert ranking.average_precision(sought, rng.random(20_000)) == pytest.approx(
        0.2, abs=0.01
    )


def test_nothing_sought_and_what_cannot_be_ranked():
    assert ranking.average_precision([0, 0], [1, 2]) is None
    with pytest.raises(UserError, match=r"\(2,\) scores, 1 of them NaN"):
        ranking.average_precision([0, 1], [1, np.nan])
    with pytest.raises(UserError, match="expected one number each"):
        ranking.average_precision([0, 1, 1], [1, 2])

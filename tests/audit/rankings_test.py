"""What proposals do to a label set."""

import numpy as np
import pytest

from kfer.audit.rankings import Ranking, corrected


def test_corrected_by_hand():
    labels, truth = np.array([0, 1, 1, 0, -1]), np.array([0, 0, 1, 1, 1])
    proposed = np.array([1, 0, 1, 0, -1])
    changed = np.array([True, True, False, False, False])
    ranked = Ranking({"model": np.arange(5.0)}, "model", proposed, changed, proposed)
    np.testing.assert_array_equal(ranked.suspicion, np.arange(5))
    # The first change spoils a right label, the second mends a wrong one.
    assert corrected(labels, ranked, truth) == {
        "changed": 2,
        "were_wrong": 0.5,
        "are_right": 0.5,
        "noise": 0.5,
        "noise_after": pytest.approx(2 / 4),
    }
    nothing = corrected(labels, ranked, np.full(5, -1))
    assert nothing["changed"] == 0 and nothing["noise_after"] is None

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.noise import transition


def test_symmetric_by_hand():
    np.testing.assert_allclose(
        transition.symmetric(3, 0.2),
        [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],
    )


def test_pair_by_hand():
    np.testing.assert_allclose(
        transition.pair(3, 0.25, {0: 2}), [[0.75, 0, 0.25], [0, 1, 0], [0, 0, 1]]
    )


def test_sample_follows_the_rows():
    matrix = np.array([[0.7, 0.3, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]])
    truth = np.repeat([0, 1, 2], 40_000)
    given = transition.sample(truth, matrix, np.random.default_rng(0))
    seen = transition.estimate(given, truth, 3)
    # Standard deviation at most sqrt(0.25 / 40,000) = 0.0025.
    np.testing.assert_allclose(seen, matrix, atol=0.012)
    assert np.all(seen[matrix == 0] == 0)


def test_sample_never_answers_what_has_no_probability():
    class Edge:
        """Draws that fall on the bounds."""

        def random(self, shape):
            return np.resize([0.0, 1.0 - 2**-53], shape)

    matrix = np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    given = transition.sample(np.array([0, 0, 2, 2]), matrix, Edge())
    np.testing.assert_array_equal(given, [1, 1, 0, 0])


def test_unknown_truth_stays_unknown():
    given = transition.sample(np.array([-1, 1]), np.eye(2), np.random.default_rng(0))
    np.testing.assert_array_equal(given, [-1, 1])


def test_estimate_by_hand():
    given, clean = np.array([0, 1, 1, 2, -1]), np.array([0, 0, 0, 2, 2])
    # Class 0: one 0 and two 1s; class 1 never occurs; class 2: one 2, one missing.
    np.testing.assert_allclose(
        transition.estimate(given, clean, 3), [[1 / 3, 2 / 3, 0], [0, 0, 0], [0, 0, 1]]
    )


def test_expected_noise():
    matrix = np.array([[0.9, 0.1], [0.5, 0.5]])
    assert transition.expected_noise(matrix) == pytest.approx(0.3)
    # (3 * 0.1 + 1 * 0.5) / 4
    assert transition.expected_noise(matrix, np.array([3, 1])) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 0, 0], [0, 1, 0]], r"square \[K, K\], got \(2, 3\)"),
        ([[0.5, 0.4], [0, 1]], "Row 0 of the confusion matrix sums to 0.9"),
        ([[1.5, -0.5], [0, 1]], "no probability"),
        ([[np.nan, 1], [0, 1]], "no probability"),
    ],
)
def test_a_bad_matrix_is_told(matrix, message):
    with pytest.raises(UserError, match=message):
        transition.check(matrix)


def test_other_bad_input_is_told():
    with pytest.raises(UserError, match="has 2 classes, expected 7"):
        transition.check(np.eye(2), 7)
    with pytest.raises(UserError, match=r"is not in \[0, 1\]"):
        transition.symmetric(3, 1.2)
    with pytest.raises(UserError, match="pair 0->5"):
        transition.pair(3, 0.2, {0: 5})
    with pytest.raises(UserError, match="Label 2 is not in"):
        transition.sample(np.array([2]), np.eye(2), np.random.default_rng(0))
    with pytest.raises(UserError, match="don't fit 2 classes"):
        transition.expected_noise(np.eye(2), np.zeros(2))

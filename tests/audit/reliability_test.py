"""Expected confusions by hand."""

import numpy as np
import pytest

from kfer.audit import reliability


def test_expected_confusion_by_hand():
    posterior = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    found = reliability.expected(posterior, np.array([0, 1, 1, -1]))
    # Class 0 has 0.9 of those labelled 0 and 0.6 + 0.2 of those labelled 1.
    assert found["labels"] == 3
    np.testing.assert_allclose(found["confusion"][0], [0.9 / 1.7, 0.8 / 1.7])
    np.testing.assert_allclose(found["confusion"][1], [0.1 / 1.3, 1.2 / 1.3])
    assert found["reliability"] == pytest.approx((0.9 + 0.4 + 0.8) / 3)


def test_what_is_unknown_is_none():
    sure = np.array([[1.0, 0.0], [1.0, 0.0]])
    found = reliability.expected(sure, np.array([0, 1]))
    assert found["confusion"] == [[0.5, 0.5], None]
    nothing = reliability.expected(sure, np.array([-1, -1]))
    assert nothing == {"labels": 0, "confusion": None, "reliability": None}


def test_a_known_matrix_weighs_its_rows_by_the_classes():
    matrix = np.array([[0.9, 0.1], [0.4, 0.6]])
    found = reliability.of_matrix(matrix, np.array([0.25, 0.75]))
    assert found["reliability"] == pytest.approx(0.25 * 0.9 + 0.75 * 0.6)
    np.testing.assert_allclose(found["confusion"], matrix)

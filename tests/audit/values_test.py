"""Label sets of values against each other, by hand."""

import numpy as np
import pytest

from kfer.audit import values

NAN = np.nan


def column(*numbers):
    return np.array(numbers, float)[:, None]


def test_against_by_hand():
    # given = 0.1 + 0.5 reference; mean of given - reference = 0.1 - 0.5 * 0.4 = -0.1.
    reference = column(0.0, 0.4, 0.8, NAN, 0.2)
    given = column(0.1, 0.3, 0.5, 0.9, NAN)
    found = values.against(given, reference)
    assert found["compared"] == 3
    np.testing.assert_allclose(found["bias"], [-0.1])
    np.testing.assert_allclose(found["scale"], [0.5])
    np.testing.assert_allclose(found["noise_std"], [0], atol=1e-12)
    # Variances 0.32/3 and 0.08/3, covariance 0.16/3, means 0.4 and 0.3.
    np.testing.assert_allclose(found["ccc"], [(0.32 / 3) / (0.40 / 3 + 0.01)])
    np.testing.assert_allclose(found["rmse"], [np.sqrt((0.01 + 0.01 + 0.09) / 3)])


def test_against_finds_what_generated_the_values():
    rng = np.random.default_rng(0)
    truth = rng.uniform(-1, 1, (20_000, 2))
    noise = rng.normal(0, (0.1, 0.3), truth.shape)
    found = values.against((0.2, -0.1) + (0.8, 0.5) * truth + noise, truth)
    np.testing.assert_allclose(found["scale"], [0.8, 0.5], atol=0.02)
    np.testing.assert_allclose(found["noise_std"], [0.1, 0.3], atol=0.01)
    np.testing.assert_allclose(found["bias"], [0.2, -0.1], atol=0.02)


def test_a_constant_reference_has_no_scale():
    found = values.against(column(0.1, 0.3), column(0.3, 0.3))
    assert found["scale"] == [None]
    np.testing.assert_allclose(found["noise_std"], [0.1])


def test_nothing_to_compare():
    found = values.against(column(NAN, 1.0), column(0.0, NAN))
    assert found["compared"] == 0
    assert all(v is None for name, v in found.items() if name != "compared")


def test_spread_by_hand():
    found = values.spread(np.array([[0.0, 1.0], [0.5, NAN], [1.0, 0.0]]))
    assert found == {"given": 2, "mean": [0.5, 0.5], "variance": [0.25, 0.25]}
    assert values.spread(column(NAN)) == {"given": 0, "mean": None, "variance": None}


def test_pairwise_by_hand():
    sets = [column(0.0, 1.0, NAN), column(0.5, 1.5, 0.0), column(NAN, NAN, NAN)]
    found = values.pairwise(sets)
    assert found["both"] == [[2, 2, 0], [2, 3, 0], [0, 0, 0]]
    assert found["bias"][0][1] == [-0.5] and found["bias"][1][0] == [0.5]
    # Variances 1/4, covariance 1/4, means half apart: 1/2 / (1/2 + 1/4).
    assert found["ccc"][0][1] == pytest.approx([2 / 3])
    assert found["ccc"][0][0] == [1] and found["ccc"][0][2] is None


def test_mean_of_others_leaves_out_what_is_missing():
    sets = [column(9.0, 9.0, 9.0), column(0.0, NAN, NAN), column(1.0, 0.3, NAN)]
    np.testing.assert_allclose(values.mean_of_others(sets, 0), column(0.5, 0.3, NAN))
    assert np.isnan(values.mean_of_others(sets[:1], 0)).all()

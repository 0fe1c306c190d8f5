import numpy as np
import pytest

from kfer.errors import UserError
from kfer.noise import continuous
from kfer.noise.continuous import Annotator


def rng(seed=0):
    return np.random.default_rng(seed)


def test_gaussian_has_the_standard_deviation_asked():
    noise = continuous.gaussian(np.zeros((100_000, 2)), np.array([0.1, 0.3]), rng())
    # The standard error of a standard deviation is std / sqrt(2 n) = 0.0007.
    np.testing.assert_allclose(noise.std(axis=0), [0.1, 0.3], atol=0.004)
    np.testing.assert_allclose(noise.mean(axis=0), [0, 0], atol=0.005)


def test_bias_is_added_and_the_range_kept():
    values = np.array([[0.5, -0.5], [0.95, -0.95]])
    judged = continuous.annotate(values, Annotator(bias=(0.1, -0.1)), rng())
    np.testing.assert_allclose(judged, [[0.6, -0.6], [1.0, -1.0]])


def test_a_scale_multiplies_before_the_bias():
    judge = Annotator(bias=(0.1, -0.1), scale=1.5)
    judged = continuous.annotate(np.array([[0.2, -0.8]]), judge, rng())
    np.testing.assert_allclose(judged, [[0.4, -1.0]])  # 0.3 + 0.1; -1.3 is held
    with pytest.raises(UserError, match="A scale must be above 0, got 0"):
        Annotator(scale=0)


def test_sign_swaps_come_before_the_bias_and_hit_exactly_the_rate():
    values = np.full((10, 2), 0.5)
    judged = continuous.annotate(values, Annotator(bias=(0.1,), swap_rate=0.3), rng())
    # round(0.3 * 10) = 3 rows: -0.5 + 0.1; the others 0.5 + 0.1.
    assert sorted(judged[:, 0].round(9)) == [-0.4] * 3 + [0.6] * 7
    np.testing.assert_array_equal(judged[:, 0], judged[:, 1])


def test_missing_values_stay_missing():
    judged = continuous.annotate(
        np.array([[np.nan, np.nan], [0.1, 0.2]]), Annotator(std=0.1), rng()
    )
    assert np.isnan(judged[0]).all() and np.isfinite(judged[1]).all()


def test_achieved_by_hand():
    clean = np.array([[0.0, 0.5], [1.0, 0.5], [np.nan, 0.0]])
    given = np.array([[0.0, 0.6], [2.0, 0.4], [0.0, 0.0]])
    found = continuous.achieved(given, clean)
    assert found["compared"] == 2
    # Valence: sqrt((0 + 1) / 2); arousal: sqrt((0.01 + 0.01) / 2).
    np.testing.assert_allclose(found["rmse"], [np.sqrt(0.5), 0.1])
    # Valence: cov 0.5, variances 0.25 and 1, means 0.5 and 1: 1 / (1.25 + 0.25).
    np.testing.assert_allclose(found["ccc"], [2 / 3, 0.0], atol=1e-12)
    np.testing.assert_allclose(found["bias"], [0.5, 0.0], atol=1e-12)


def test_achieved_of_nothing_is_none():
    found = continuous.achieved(np.full((2, 2), np.nan), np.zeros((2, 2)))
    assert found == {"compared": 0, "rmse": None, "ccc": None, "bias": None}


def test_more_noise_means_less_concordance():
    clean = rng().uniform(-0.6, 0.6, (5000, 2))
    scores = [
        continuous.achieved(continuous.annotate(clean, Annotator(std), rng(1)), clean)
        for std in (0.0, 0.1, 0.3)
    ]
    assert scores[0]["ccc"] == pytest.approx([1.0, 1.0])
    assert scores[0]["rmse"] == [0.0, 0.0]
    assert 1.0 > scores[1]["ccc"][0] > scores[2]["ccc"][0] > 0.5


def test_bad_input_is_told():
    with pytest.raises(UserError, match="can't be below 0, got -1"):
        Annotator(std=-1)
    with pytest.raises(UserError, match="can't be below 0"):
        continuous.gaussian(np.zeros((1, 2)), -0.1, rng())
    with pytest.raises(UserError, match=r"is not in \[0, 1\]"):
        Annotator(swap_rate=2)
    with pytest.raises(UserError, match=r"expected two \[n, D\]"):
        continuous.achieved(np.zeros((2, 2)), np.zeros((3, 2)))

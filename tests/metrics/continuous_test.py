import numpy as np
import pytest

from kfer.errors import UserError
from kfer.metrics import continuous

TRUE = np.array([[0.0, -0.5], [1.0, 0.0]])
PRED = np.array([[0.0, 0.5], [2.0, 0.0]])


def test_measures_by_hand():
    # Valence: cov 0.5, variances 0.25 and 1, means 0.5 and 1.
    # Arousal: cov -0.0625, variances 0.0625 each, means -0.25 and 0.25.
    np.testing.assert_allclose(
        continuous.ccc(TRUE, PRED), [1.0 / 1.5, -0.125 / (0.125 + 0.25)]
    )
    np.testing.assert_allclose(continuous.pcc(TRUE, PRED), [1.0, -1.0])
    np.testing.assert_allclose(continuous.mse(TRUE, PRED), [0.5, 0.5])
    np.testing.assert_allclose(continuous.rmse(TRUE, PRED), [0.5**0.5] * 2)
    # 0 agrees with 0; -0.5 against 0.5 does not.
    np.testing.assert_allclose(continuous.sagr(TRUE, PRED), [1.0, 0.5])


def test_zero_is_a_sign_of_its_own():
    true, pred = np.array([[0.0], [0.1], [-0.1]]), np.array([[0.2], [0.0], [-0.3]])
    np.testing.assert_allclose(continuous.sagr(true, pred), [1 / 3])


def test_a_perfect_prediction():
    values = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    np.testing.assert_allclose(continuous.ccc(values, values), [1, 1])
    np.testing.assert_allclose(continuous.pcc(values, values), [1, 1])
    np.testing.assert_allclose(continuous.sagr(values, values), [1, 1])
    assert continuous.rmse(values, values).tolist() == [0, 0]


def test_pcc_equals_numpy_and_bounds_ccc():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(200, 2))
    pred = 0.5 * true + rng.normal(size=(200, 2)) + 0.3
    pcc = continuous.pcc(true, pred)
    for i in range(2):
        assert pcc[i] == pytest.approx(np.corrcoef(true[:, i], pred[:, i])[0, 1])
    ccc = continuous.ccc(true, pred)
    assert np.all(np.abs(ccc) < np.abs(pcc))
    # Lin: CCC = PCC times the bias factor 2 / (v + 1/v + u^2).
    v = true.std(0) / pred.std(0)
    u2 = (true.mean(0) - pred.mean(0)) ** 2 / (true.std(0) * pred.std(0))
    np.testing.assert_allclose(ccc, pcc * 2 / (v + 1 / v + u2))


def test_shift_lowers_ccc_but_not_pcc():
    true = np.linspace(-1, 1, 21)[:, None]
    assert continuous.pcc(true, true + 0.5) == pytest.approx(1.0)
    # Variance (21^2 - 1) / 12 * 0.1^2 = 0.36667: 0.73333 / (0.73333 + 0.25).
    assert continuous.ccc(true, true + 0.5) == pytest.approx(0.733333 / 0.983333, 1e-5)


@pytest.mark.parametrize("value", [0.0, 0.3, 1 / 3, -0.7])
def test_constant_values_give_zero_not_nan(value):
    constant = np.full((7, 1), value)
    moving = np.linspace(-1, 1, 7)[:, None]
    for true, pred in ((constant, constant), (constant, moving), (moving, constant)):
        assert continuous.ccc(true, pred) == pytest.approx(0.0, abs=1e-12)
        assert continuous.pcc(true, pred) == 0.0
    assert continuous.ccc(constant, constant + 0.1) == pytest.approx(0.0, abs=1e-12)


def test_one_example():
    assert continuous.ccc(np.array([[0.3]]), np.array([[0.3]])) == [0.0]
    assert continuous.mse(np.array([[0.3]]), np.array([[0.1]])) == pytest.approx(0.04)


def test_bad_input_is_told():
    with pytest.raises(UserError, match="can't be compared"):
        continuous.ccc(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(UserError, match="n > 0"):
        continuous.mse(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(UserError, match="not finite"):
        continuous.mse(np.full((1, 1), np.nan), np.zeros((1, 1)))

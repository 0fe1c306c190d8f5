import numpy as np
import pytest
import tensorflow as tf

from kfer.losses import concordance
from kfer.metrics import continuous


def random_pair(size, dimensions=2, seed=0):
    random = np.random.default_rng(seed)
    y_true = random.uniform(-1, 1, (size, dimensions)).astype(np.float32)
    noise = random.normal(size=(size, dimensions)).astype(np.float32)
    return y_true, (0.5 * y_true + 0.3 * noise + 0.1).astype(np.float32)


def ccc_of(y_true, y_pred, mask=None, unbiased=False):
    mask = np.ones(len(y_true), np.float32) if mask is None else mask
    pooled = concordance.moments(
        tf.constant(y_true), tf.convert_to_tensor(y_pred), tf.constant(mask)
    )
    return concordance.ccc(pooled, unbiased)


def value_and_gradient(y_true, y_pred, mask=None, unbiased=False):
    predicted = tf.Variable(y_pred)
    with tf.GradientTape() as tape:
        values = ccc_of(y_true, predicted, mask, unbiased)
    return values.numpy(), tape.gradient(values, predicted).numpy()


def numpy_ccc(y_true, y_pred, unbiased=False):
    y_true, y_pred = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    covariance = ((y_true - y_true.mean(0)) * (y_pred - y_pred.mean(0))).mean(0)
    ddof = 1 if unbiased else 0
    variances = y_true.var(0, ddof=ddof) + y_pred.var(0, ddof=ddof)
    return 2 * covariance / (variances + (y_true.mean(0) - y_pred.mean(0)) ** 2)


def test_moments_by_hand():
    pooled = concordance.moments(
        tf.constant([[1.0], [2.0], [9.0]]),
        tf.constant([[3.0], [5.0], [9.0]]),
        tf.constant([1.0, 1.0, 0.0]),
    )
    # count, 1 + 2, 3 + 5, 1 + 4, 9 + 25, 3 + 10; the third row is masked
    assert pooled.numpy()[:, 0] == pytest.approx([2, 3, 8, 5, 34, 13])


def test_ccc_by_hand():
    # means 1.5, 4; variances 1/4, 1; covariance 1/2: 1 / (1.25 + 6.25)
    assert ccc_of([[1.0], [2.0]], [[3.0], [5.0]]).numpy() == pytest.approx([1 / 7.5])


def test_perfect_prediction_scores_one():
    y_true, _ = random_pair(8)
    assert ccc_of(y_true, y_true).numpy() == pytest.approx([1.0, 1.0], abs=1e-6)


def test_mirrored_prediction_scores_minus_one():
    y_true = np.array([[-1.0], [0.0], [1.0]], np.float32)
    assert ccc_of(y_true, -y_true).numpy() == pytest.approx([-1.0])


@pytest.mark.parametrize("size", (2, 8, 128))
def test_perfect_prediction_with_unbiased_variance(size):
    y_true, _ = random_pair(size)
    value = ccc_of(y_true, y_true, unbiased=True).numpy()
    assert value == pytest.approx([(size - 1) / size] * 2, abs=1e-6)


@pytest.mark.parametrize("dtype", (np.float32, np.float64))
@pytest.mark.parametrize("size", (1, 2, 7, 500))
def test_the_twin_in_numpy(size, dtype):
    y_true, y_pred = (x.astype(dtype) for x in random_pair(size, 4))
    # Both constant and alike, and one of them constant.
    y_true[:, 2:], y_pred[:, 2] = 1 / 3, 1 / 3
    value = ccc_of(y_true, y_pred, np.ones(size, dtype)).numpy()
    expected = continuous.ccc(y_true, y_pred)
    assert value.dtype == dtype and expected[2] == 0
    rtol = 1e-10 if dtype == np.float64 else 1e-4
    np.testing.assert_allclose(value, expected, rtol=rtol, atol=rtol / 100)


@pytest.mark.parametrize("unbiased", (False, True))
@pytest.mark.parametrize("size", (2, 7, 64))
def test_either_variance_in_numpy(size, unbiased):
    y_true, y_pred = random_pair(size)
    expected = numpy_ccc(y_true, y_pred, unbiased)
    value = ccc_of(y_true, y_pred, unbiased=unbiased).numpy()
    np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)


def test_gradient_equals_finite_differences():
    y_true, y_pred = random_pair(6)
    _, gradient = value_and_gradient(y_true, y_pred)
    step = 1e-6
    for row in range(6):
        for column in range(2):
            moved = y_pred.astype(np.float64)
            moved[row, column] += step
            up = numpy_ccc(y_true, moved)[column]
            moved[row, column] -= 2 * step
            down = numpy_ccc(y_true, moved)[column]
            assert gradient[row, column] == pytest.approx(
                (up - down) / (2 * step), rel=1e-3, abs=1e-5
            )


def test_moments_add_up_over_splits():
    y_true, y_pred = random_pair(12)
    mask = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1], np.float32)
    whole = concordance.moments(*map(tf.constant, (y_true, y_pred, mask)))
    parts = [
        concordance.moments(*(tf.constant(a[rows]) for a in (y_true, y_pred, mask)))
        for rows in (slice(0, 1), slice(1, 5), slice(5, 12))
    ]
    np.testing.assert_allclose(tf.add_n(parts), whole, rtol=1e-5, atol=1e-6)
    # which a mean of the parts' CCCs is not
    mean = np.mean([concordance.ccc(part) for part in parts], axis=0)
    assert np.abs(mean - concordance.ccc(whole)).max() > 0.05


def test_masked_rows_do_not_count():
    y_true, y_pred = random_pair(9)
    mask = np.array([1, 0, 1, 1, 0, 1, 1, 0, 1], np.float32)
    kept = mask > 0
    value, gradient = value_and_gradient(y_true, y_pred, mask)
    expected = numpy_ccc(y_true[kept], y_pred[kept])
    np.testing.assert_allclose(value, expected, rtol=1e-4)
    assert np.all(gradient[~kept] == 0.0)
    assert np.all(gradient[kept] != 0.0)
    other = np.where(kept[:, None], y_pred, 0.77).astype(np.float32)
    np.testing.assert_array_equal(value, ccc_of(y_true, other, mask))


@pytest.mark.parametrize("unbiased", (False, True))
@pytest.mark.parametrize("size", (1, 2, 8))
def test_no_example_scores_zero_without_gradient(size, unbiased):
    y_true, y_pred = random_pair(size)
    mask = np.zeros(size, np.float32)
    value, gradient = value_and_gradient(y_true, y_pred, mask, unbiased)
    assert value.tolist() == [0.0, 0.0]
    assert np.all(gradient == 0.0)


@pytest.mark.parametrize("unbiased", (False, True))
@pytest.mark.parametrize("same", (False, True))
def test_one_example_scores_zero_without_gradient(same, unbiased):
    y_true, y_pred = random_pair(1)
    y_pred = y_true if same else y_pred
    value, gradient = value_and_gradient(y_true, y_pred, None, unbiased)
    assert value.tolist() == [0.0, 0.0]
    assert np.all(gradient == 0.0)


@pytest.mark.parametrize("unbiased", (False, True))
@pytest.mark.parametrize("size", (2, 3, 8, 128))
def test_constant_labels_score_zero_with_a_vanishing_gradient(size, unbiased):
    _, y_pred = random_pair(size)
    for constant in (0.0, 0.3, -0.9):
        y_true = np.full((size, 2), constant, np.float32)
        value, gradient = value_and_gradient(y_true, y_pred, None, unbiased)
        np.testing.assert_allclose(value, 0.0, atol=1e-5)
        np.testing.assert_allclose(gradient, 0.0, atol=1e-5)


@pytest.mark.parametrize("unbiased", (False, True))
@pytest.mark.parametrize("size", (2, 3, 7, 8, 128))
def test_neither_side_varies(size, unbiased):
    """Undefined, so 0 with gradient 0, whatever rounding leaves of the variances."""
    for constant in (0.0, 0.1, 0.3, 0.7, -0.9):
        both = np.full((size, 2), constant, np.float32)
        value, gradient = value_and_gradient(both, both, None, unbiased)
        assert value.tolist() == [0.0, 0.0], constant
        np.testing.assert_allclose(gradient, 0.0, atol=1e-5)


@pytest.mark.parametrize("spread", (1e-2, 1e-3, 1e-4, 1e-5, 1e-6))
def test_constant_labels_and_nearly_constant_predictions(spread):
    """Rounding must not be taken for agreement: |CCC| is at most 1, gradients small."""
    for seed in range(20):
        random = np.random.default_rng(seed)
        size = int(random.integers(2, 129))
        y_true = np.full((size, 1), random.uniform(-1, 1), np.float32)
        y_pred = y_true + np.float32(spread) * random.normal(size=(size, 1))
        value, gradient = value_and_gradient(y_true, y_pred.astype(np.float32))
        assert np.abs(value).max() < 0.02, (seed, size)
        assert np.abs(gradient).max() < 1.0, (seed, size)


def test_wrong_shapes_raise():
    with pytest.raises(ValueError):
        concordance.moments(tf.zeros([4, 2]), tf.zeros([4, 1]), tf.ones([4]))
    with pytest.raises(ValueError):
        concordance.moments(tf.zeros([4, 2]), tf.zeros([4, 2]), tf.ones([4, 1]))

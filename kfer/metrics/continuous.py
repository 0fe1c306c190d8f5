"""Measures of continuous predictions: pure NumPy, one number per dimension.

Each takes truth and prediction [n, D] with n > 0 and returns [D], over all examples
pooled; `kfer.metrics.suite` handles masks and n = 0.
"""

import numpy as np

from kfer.errors import UserError

# Relative to the mean squares: below it, what looks like variance is rounding.
_ROUNDING = 1e-24


def _checked(y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    true, pred = np.asarray(y_true, np.float64), np.asarray(y_pred, np.float64)
    if true.shape != pred.shape or true.ndim != 2 or not len(true):
        raise UserError(
            f"Values {true.shape} and predictions {pred.shape} can't be compared; "
            "expected two [n, D] with n > 0"
        )
    if not np.all(np.isfinite(true)) or not np.all(np.isfinite(pred)):
        raise UserError(
            "Values or predictions are not finite: mask what is missing; if none is, "
            "the model has diverged"
        )
    return true, pred


def _ratio(numerator: np.ndarray, scale: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """numerator / scale; 0 where the scale is nothing but rounding."""
    valid = scale > floor
    return np.where(valid, numerator / np.where(valid, scale, 1.0), 0.0)


def ccc(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Concordance (Lin 1989): 2 cov / (var + var + (mean - mean)^2), biased moments.

    In [-1, 1], 1 for a perfect prediction; 0 where the denominator is 0, which is when
    neither side varies and their means agree. The twin of kfer.losses.concordance.ccc;
    with all values at hand it subtracts the means first, so that no digits are lost.
    """
    true, pred = _checked(y_true, y_pred)
    covariance = np.mean((true - true.mean(0)) * (pred - pred.mean(0)), axis=0)
    scale = true.var(0) + pred.var(0) + (true.mean(0) - pred.mean(0)) ** 2
    floor = _ROUNDING * (np.mean(true**2, 0) + np.mean(pred**2, 0))
    return _ratio(2.0 * covariance, scale, floor)


def pcc(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Pearson's correlation; 0 where a side does not vary."""
    true, pred = _checked(y_true, y_pred)
    covariance = np.mean((true - true.mean(0)) * (pred - pred.mean(0)), axis=0)
    constant = (true.var(0) <= _ROUNDING * np.mean(true**2, 0)) | (
        pred.var(0) <= _ROUNDING * np.mean(pred**2, 0)
    )
    scale = np.where(constant, 0.0, true.std(0) * pred.std(0))
    return np.clip(_ratio(covariance, scale, np.zeros_like(scale)), -1.0, 1.0)


def mse(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Mean squared error."""
    true, pred = _checked(y_true, y_pred)
    return np.mean((true - pred) ** 2, axis=0)


def rmse(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Root mean squared error, in the label's unit."""
    return np.sqrt(mse(y_true, y_pred))


def sagr(y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
    """Share of examples whose signs agree.

    0 is a sign of its own, as in EmoNet: it agrees with an exact 0 alone.
    """
    true, pred = _checked(y_true, y_pred)
    return np.mean(np.sign(true) == np.sign(pred), axis=0)


MEASURES = {"ccc": ccc, "pcc": pcc, "rmse": rmse, "mse": mse, "sagr": sagr}

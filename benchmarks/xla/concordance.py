"""Concordance of continuous answers (NumPy).

This folder runs where kfer is not installed, so it can't import
kfer.metrics.continuous.ccc, which owns the arithmetic; tests compare the two.
"""

import numpy as np

# Relative to the mean squares: below it, what looks like variance is rounding.
_ROUNDING = 1e-24


def ccc(truth: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """[N, D], [N, D] -> [D] in [-1, 1], biased variances; 0 where neither varies.

    Lin 1989: 2 cov / (var + var + (mean - mean)^2).
    """
    truth, answer = np.float64(truth), np.float64(answer)
    apart = truth.mean(0) - answer.mean(0)
    covariance = ((truth - truth.mean(0)) * (answer - answer.mean(0))).mean(0)
    scale = truth.var(0) + answer.var(0) + apart**2
    known = scale > _ROUNDING * ((truth**2).mean(0) + (answer**2).mean(0))
    return np.where(known, 2 * covariance / np.where(known, scale, 1.0), 0.0)

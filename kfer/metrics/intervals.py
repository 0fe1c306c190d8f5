"""95 % intervals of measures: Wilson's for shares, the bootstrap for the others.

The bootstrap's are percentile intervals (B. Efron and R. Tibshirani, An Introduction to
the Bootstrap, 1993, chapter 13): the measure of DRAWS samples of n examples drawn with
replacement from the n there are, from its 2.5th to its 97.5th percentile.
"""

import numpy as np

from kfer.crowd import people

DRAWS = 1000
# Below it, resampling says little of what other examples would have given.
FEWEST = 30

_AT_ONCE = 50  # draws, to bound the memory
_TINY = 1e-24
Interval = tuple[float, float]


def of_classes(
    confusion: np.ndarray, rng: np.random.Generator
) -> dict[str, Interval | None]:
    """Of the measures that follow from a confusion matrix.

    Drawing n examples with replacement is drawing a matrix of n from the multinomial
    distribution of its cells.

    Args:
      confusion: counts [K, K], rows true.
      rng: of the draws.

    Returns:
      'accuracy' (Wilson's), 'mean_class_accuracy' and 'macro_f1', each (low, high);
      None without an example, and of the latter two with fewer than FEWEST.
    """
    total = int(confusion.sum())
    found: dict[str, Interval | None] = {
        "accuracy": share(int(np.trace(confusion)), total),
        "mean_class_accuracy": None,
        "macro_f1": None,
    }
    if total < FEWEST:
        return found
    size = len(confusion)
    cells = rng.multinomial(total, confusion.ravel() / total, DRAWS)
    drawn = cells.reshape(DRAWS, size, size)
    right = np.einsum("bkk->bk", drawn)
    true, said = drawn.sum(axis=2), drawn.sum(axis=1)
    recalls = _mean_where(right / np.maximum(true, 1), true > 0)
    f1 = _mean_where(2 * right / np.maximum(true + said, 1), true + said > 0)
    return found | {"mean_class_accuracy": _middle(recalls), "macro_f1": _middle(f1)}


def share(hits: int, count: int) -> Interval | None:
    """Wilson's interval of hits among count; None without any."""
    if not count:
        return None
    low, high = people.wilson(np.array([hits]), np.array([count]))
    return float(low[0]), float(high[0])


def of_values(
    y_true: np.ndarray, y_pred: np.ndarray, rng: np.random.Generator
) -> dict[str, Interval | None]:
    """Of the means over the dimensions of kfer.metrics.continuous's measures.

    Args:
      y_true: [n, D], finite.
      y_pred: [n, D], finite.
      rng: of the draws.

    Returns:
      'ccc', 'rmse' and 'sagr', each (low, high); None with fewer than FEWEST.
    """
    names = ("ccc", "rmse", "sagr")
    count = len(y_true)
    if count < FEWEST:
        return dict.fromkeys(names)
    # No measure's moments change with the origin, and none then loses digits to it.
    origin = y_true.mean(axis=0)
    true, pred = y_true - origin, y_pred - origin
    agree = np.sign(y_true) == np.sign(y_pred)
    rows = np.stack([true, pred, true**2, pred**2, true * pred, agree])  # [6, n, D]
    drawn = [
        _moments(rows, rng.integers(count, size=(_AT_ONCE, count)))
        for _ in range(DRAWS // _AT_ONCE)
    ]
    found = _measures(*np.concatenate(drawn).transpose(1, 0, 2))
    return {
        name: _middle(values.mean(axis=1))
        for name, values in zip(names, found, strict=True)
    }


def _moments(rows: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Means [B, 6, D] of rows [6, n, D] over each draw's examples [B, n]."""
    count = rows.shape[1]
    weights = np.stack([np.bincount(one, minlength=count) for one in chosen]) / count
    return np.einsum("bn,mnd->bmd", weights, rows, optimize=True)


def _measures(
    true: np.ndarray,
    pred: np.ndarray,
    true_2: np.ndarray,
    pred_2: np.ndarray,
    product: np.ndarray,
    agree: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CCC, RMSE and SAGR [B, D] from the moments [B, D]."""
    # var + var + (mean - mean)^2 = E[t^2] + E[p^2] - 2 E[t] E[p]
    scale = true_2 + pred_2 - 2 * true * pred
    covariance = product - true * pred
    ccc = np.where(scale > _TINY, 2 * covariance / np.maximum(scale, _TINY), 0.0)
    rmse = np.sqrt(np.maximum(true_2 + pred_2 - 2 * product, 0.0))
    return ccc, rmse, agree


def _mean_where(values: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Means [B] of [B, K] over those that are given, of which each row has one."""
    return (values * given).sum(axis=1) / given.sum(axis=1)


def _middle(draws: np.ndarray) -> Interval:
    low, high = np.percentile(draws, (2.5, 97.5))
    return float(low), float(high)

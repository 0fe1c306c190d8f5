"""95 % intervals of measures: Wilson's for shares, the bootstrap for the others.

The bootstrap's are percentile intervals (B. Efron and R. Tibshirani, An Introduction to
the Bootstrap, 1993, chapter 13): the measure of DRAWS samples of n examples drawn with
replacement from the n there are, from its 2.5th to its 97.5th percentile.

Several labels of one picture stand beside the same answer, so they are no independent
examples: with them pictures are drawn, each with all its labels (A. Davison and D.
Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

import numpy as np
from scipy import stats

from kfer.crowd import people

DRAWS = 1000
# Pictures. Below it, resampling says little of what others would have given.
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
    return found | _of_matrices(cells.reshape(DRAWS, size, size))


def of_labels(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    size: int,
    picture: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, Interval | None]:
    """`of_classes` where pictures have several labels each.

    Args:
      y_true: labels [n], of 0 to size - 1.
      y_pred: the answers to their pictures, [n].
      size: K.
      picture: which each is of, [n].
      rng: of the draws.
    """
    names, number = np.unique(picture, return_inverse=True)
    hits = np.bincount(number, y_true == y_pred)
    found: dict[str, Interval | None] = {
        "accuracy": share_of_pictures(hits, np.bincount(number)),
        "mean_class_accuracy": None,
        "macro_f1": None,
    }
    if len(names) < FEWEST:
        return found
    cell, pictures = y_true * size + y_pred, len(names)
    cells = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(pictures, size=pictures), minlength=pictures)
        cells.append(np.bincount(cell, times[number], size**2))
    return found | _of_matrices(np.reshape(cells, (DRAWS, size, size)))


def _of_matrices(drawn: np.ndarray) -> dict[str, Interval]:
    """Of each draw's confusion matrix, [DRAWS, K, K]."""
    right = np.einsum("bkk->bk", drawn)
    true, said = drawn.sum(axis=2), drawn.sum(axis=1)
    recalls = _mean_where(right / np.maximum(true, 1), true > 0)
    f1 = _mean_where(2 * right / np.maximum(true + said, 1), true + said > 0)
    return {"mean_class_accuracy": _middle(recalls), "macro_f1": _middle(f1)}


def share(hits: int, count: int) -> Interval | None:
    """Wilson's interval of hits among count; None without any."""
    if not count:
        return None
    low, high = people.wilson(np.array([hits]), np.array([count]))
    return float(low[0]), float(high[0])


def share_of_pictures(hits: np.ndarray, count: np.ndarray) -> Interval:
    """Wilson's interval of a share of labels, of which pictures have several each.

    Its n is the number of independent labels whose share would vary as this one does
    from picture to picture (J. Rao and A. Scott, Biometrics 48, 1992). That is the
    number of pictures where the labels of each agree, and the number of labels where
    they have nothing to do with each other. As few pictures tell it badly, it is
    divided by (t / z)^2 (E. Korn and B. Graubard, Survey Methodology 24, 1998). With
    the number of pictures itself, intervals of noisy labels are half as wide again as
    they need be, and more.

    Args:
      hits: of each picture, [P].
      count: labels of each, [P], 1 or more.
    """
    pictures, labels = len(count), count.sum()
    total = hits.sum() / labels
    off = np.sum((hits - total * count) ** 2) / labels**2
    number = float(pictures)  # where they don't vary
    if off > _TINY:
        variance = off * pictures / (pictures - 1)
        number = min(float(labels), total * (1.0 - total) / variance)
        few = stats.t.ppf(0.975, pictures - 1) / stats.norm.ppf(0.975)
        number /= few**2
    low, high = people.wilson(np.array([total * number]), np.array([number]))
    return float(low[0]), float(high[0])


def of_values(
    y_true: np.ndarray,
    y_pred: np.ndarray,
    rng: np.random.Generator,
    picture: np.ndarray | None = None,
) -> dict[str, Interval | None]:
    """Of the means over the dimensions of kfer.metrics.continuous's measures.

    Args:
      y_true: [n, D], finite.
      y_pred: [n, D], finite.
      rng: of the draws.
      picture: which each is of, [n]; None where each is of its own.

    Returns:
      'ccc', 'rmse' and 'sagr', each (low, high); None with fewer than FEWEST.
    """
    names = ("ccc", "rmse", "sagr")
    number = np.arange(len(y_true))
    if picture is not None:
        number = np.unique(picture, return_inverse=True)[1]
    count = int(number.max(initial=-1)) + 1
    if count < FEWEST:
        return dict.fromkeys(names)
    # No measure's moments change with the origin, and none then loses digits to it.
    origin = y_true.mean(axis=0)
    true, pred = y_true - origin, y_pred - origin
    agree = np.sign(y_true) == np.sign(y_pred)
    rows = np.stack([true, pred, true**2, pred**2, true * pred, agree])  # [6, n, D]
    drawn = [
        _moments(rows, rng.integers(count, size=(_AT_ONCE, count)), number)
        for _ in range(DRAWS // _AT_ONCE)
    ]
    found = _measures(*np.concatenate(drawn).transpose(1, 0, 2))
    return {
        name: _middle(values.mean(axis=1))
        for name, values in zip(names, found, strict=True)
    }


def _moments(rows: np.ndarray, chosen: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Means [B, 6, D] of rows [6, n, D], of pictures [n], over each draw's [B, P]."""
    count = chosen.shape[1]
    times = np.stack([np.bincount(one, minlength=count) for one in chosen])
    times = np.take(times, number, axis=1)
    weights = times / times.sum(axis=1, keepdims=True)
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

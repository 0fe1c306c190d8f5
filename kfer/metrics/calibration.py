"""A temperature for class probabilities from noisy labels: pure NumPy.

No clean label is needed. Label set j is taken to name the true class with probability
1 - e_j and each other class alike, whatever the other sets say (the one-coin model of
Dawid and Skene, 1979). The rates e_j follow from how often the sets agree, whatever the
network says; the temperature (Guo et al., 2017) is then the likeliest one of p^(1/T),
the truth being unknown.

With two sets both are given one rate; one set alone is taken at its word (e = 0), and
the confidence is then that of agreeing with it.
"""

import dataclasses

import numpy as np

from kfer.errors import UserError
from kfer.metrics import classification

LOWEST, HIGHEST = 0.05, 20.0
FLOOR = 1e-30  # of a probability, before its logarithm


@dataclasses.dataclass(frozen=True)
class Calibration:
    """A fitted temperature and what it does.

    Attributes:
      temperature: T of p^(1/T); above 1 the answers become less sure.
      errors: the rate at which each label set was found to be wrong.
      num_examples: that were compared.
      ece_before, ece_after: expected calibration error without and with T, by `hits`.
    """

    temperature: float
    errors: tuple[float, ...]
    num_examples: int
    ece_before: float
    ece_after: float


def calibrate(probabilities: np.ndarray, label_sets: np.ndarray) -> Calibration:
    """Fits a temperature to label sets of one truth.

    Args:
      probabilities: [n, K].
      label_sets: integers [A, n], below 0 where missing.

    Raises:
      UserError: no label at all, or sets that agree no more than by chance.
    """
    values = classification.check_probabilities(probabilities)
    sets = np.asarray(label_sets)
    given = (sets >= 0).any(axis=0)
    if not given.any():
        raise UserError("There is no label to calibrate the confidence with")
    values, sets = values[given], sets[:, given]
    errors = error_rates(sets, values.shape[1])
    temperature = fit(values, sets, errors)
    return Calibration(
        temperature,
        tuple(float(error) for error in errors),
        len(values),
        expected_error(values, sets, errors),
        expected_error(scaled(values, temperature), sets, errors),
    )


def scaled(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """p^(1/T) with rows that sum to 1: softmax of the log probabilities over T."""
    logits = np.log(np.maximum(probabilities, FLOOR)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def error_rates(label_sets: np.ndarray, num_classes: int) -> np.ndarray:
    """How often each label set is wrong, from how often the sets agree.

    With s_j = 1 - e_j K / (K - 1), sets j and k agree at the rate
    s_j s_k + (1 - s_j s_k) / K. So c_jk = (agreement - 1 / K) / (1 - 1 / K) is s_j s_k,
    and s_j^2 = sum c_jk c_jl / sum c_kl over the pairs k, l of other sets.

    Args:
      label_sets: integers [A, n], below 0 where missing.
      num_classes: K.

    Returns:
      float64 [A]; 0 for a set that can't be compared with others.

    Raises:
      UserError: sets that agree no more than by chance.
    """
    products = _agreement_above_chance(label_sets, num_classes)
    skills = np.ones(len(products))
    if len(products) == 2 and np.isfinite(products[0, 1]):
        skills[:] = _root(products[0, 1])
    for j in range(len(products)) if len(products) > 2 else ():
        others = np.delete(np.arange(len(products)), j)
        first, second = (others[i] for i in np.triu_indices(len(others), 1))
        above = products[j, first] * products[j, second]
        both = np.isfinite(above) & np.isfinite(products[first, second])
        if both.any():
            below = products[first, second][both].sum()
            skills[j] = _root(above[both].sum() / below if below > 0 else -1.0)
    return (1.0 - skills) * (num_classes - 1) / num_classes


def _agreement_above_chance(sets: np.ndarray, num_classes: int) -> np.ndarray:
    """c_jk of `error_rates`, [A, A]; NaN for sets that share no example."""
    given = (sets >= 0).astype(np.float64)
    both = given @ given.T
    same = np.array([[np.sum((a == b) & (a >= 0)) for a in sets] for b in sets])
    rate = np.divide(same, both, out=np.full(both.shape, np.nan), where=both > 0)
    return (rate - 1 / num_classes) / (1 - 1 / num_classes)


def _root(square: float) -> float:
    if square <= 0:
        raise UserError(
            "The label sets agree no more than by chance, so they can't calibrate the "
            "confidence; calibrate on another split, or on none"
        )
    return min(1.0, float(np.sqrt(square)))


def likelihood(
    label_sets: np.ndarray, errors: np.ndarray, num_classes: int
) -> np.ndarray:
    """P(labels of example i | its true class is k), [n, K]; missing labels say nothing.

    Args:
      label_sets: integers [A, n], below 0 where missing.
      errors: [A].
      num_classes: K.
    """
    found = np.ones((label_sets.shape[1], num_classes))
    for labels, error in zip(label_sets, errors, strict=True):
        match = labels[:, None] == np.arange(num_classes)
        says = np.where(match, 1 - error, error / (num_classes - 1))
        found *= np.where(labels[:, None] >= 0, says, 1.0)
    return found


def fit(probabilities: np.ndarray, label_sets: np.ndarray, errors: np.ndarray) -> float:
    """The T in [LOWEST, HIGHEST] under which p^(1/T) makes the labels likeliest."""
    says = likelihood(label_sets, errors, probabilities.shape[1])

    def loss(log_temperature: float) -> float:
        chance = scaled(probabilities, float(np.exp(log_temperature))) * says
        return -float(np.mean(np.log(np.maximum(chance.sum(axis=1), FLOOR))))

    low, high = np.log(LOWEST), np.log(HIGHEST)
    for _ in range(4):  # each round looks 12 times closer
        grid = np.linspace(low, high, 25)
        best = int(np.argmin([loss(point) for point in grid]))
        low, high = grid[max(0, best - 1)], grid[min(24, best + 1)]
    return float(np.exp(grid[best]))


def hits(
    probabilities: np.ndarray, label_sets: np.ndarray, errors: np.ndarray
) -> np.ndarray:
    """A number for each example whose mean estimates the accuracy without a truth.

    A right answer agrees with set j at the rate 1 - e_j, a wrong one at e_j / (K - 1);
    solved for the chance of being right and averaged over the sets given, [n].
    """
    chance = errors / (probabilities.shape[1] - 1)
    agrees = probabilities.argmax(axis=1) == label_sets
    right = (agrees - chance[:, None]) / (1 - errors - chance)[:, None]
    given = label_sets >= 0
    return (right * given).sum(axis=0) / given.sum(axis=0)


def expected_error(
    probabilities: np.ndarray, label_sets: np.ndarray, errors: np.ndarray
) -> float:
    """Expected calibration error in which `hits` stand for being right."""
    right = hits(probabilities, label_sets, errors)
    bins = classification.reliability_of(probabilities.max(axis=1), right)
    return float(classification.expected_calibration_error(bins) or 0.0)

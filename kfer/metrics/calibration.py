"""A temperature for class probabilities from noisy labels.

No clean label is needed. Label set j is taken to name the true class with probability
1 - e_j and each other class alike, whatever the other sets say (the one-coin model of
Dawid and Skene, 1979). The rates e_j follow from how often the sets agree, whatever the
network says; the temperature (Guo et al., 2017) is then the likeliest one of p^(1/T),
the truth being unknown.

Where agreement leaves the rates open, those nearest to each other are taken: two sets
share one. A set alone is taken at its word (e = 0), and the confidence is then that of
agreeing with it.
"""

import dataclasses

import numpy as np
from scipy import optimize

from kfer.errors import UserError
from kfer.metrics import classification

LOWEST, HIGHEST = 0.05, 20.0
FLOOR = 1e-30  # of a probability, before its logarithm
# The weight of rates being alike: it decides only what agreement leaves open.
_ALIKE = 1e-3


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
    and s_j^2 = sum c_jk c_jl / sum c_kl over the pairs k, l of other sets that share
    examples. A set without such a pair has what its own pairs say, see `_of_pairs`.

    Args:
      label_sets: integers [A, n], below 0 where missing.
      num_classes: K.

    Returns:
      float64 [A]; 0 for a set that can't be compared with others, see `alone`.

    Raises:
      UserError: sets that agree no more than by chance.
    """
    products, common = _agreement_above_chance(label_sets, num_classes)
    skills = _of_pairs(products, common, _of_triangles(products))
    return (1.0 - skills) * (num_classes - 1) / num_classes


def alone(label_sets: np.ndarray) -> np.ndarray:
    """Which sets have labels, but of no example that another has one of, bool [A].

    Args:
      label_sets: integers [A, n], below 0 where missing.
    """
    given = label_sets >= 0
    others = given.sum(axis=0) - given > 0
    return given.any(axis=1) & ~(given & others).any(axis=1)


def _agreement_above_chance(
    sets: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """c_jk of `error_rates`, NaN for sets that share no example, and how many they do.

    Both are [A, A]; a set isn't compared with itself.
    """
    given = (sets >= 0).astype(np.float64)
    common = given @ given.T
    np.fill_diagonal(common, 0.0)
    same = np.array([[np.sum((a == b) & (a >= 0)) for a in sets] for b in sets])
    rate = np.divide(same, common, out=np.full(same.shape, np.nan), where=common > 0)
    return (rate - 1 / num_classes) / (1 - 1 / num_classes), common


def _of_triangles(products: np.ndarray) -> np.ndarray:
    """s_j of `error_rates` [A]; NaN for a set without two others to compare."""
    skills = np.full(len(products), np.nan)
    for j in range(len(products)):
        others = np.delete(np.arange(len(products)), j)
        first, second = (others[i] for i in np.triu_indices(len(others), 1))
        above = products[j, first] * products[j, second]
        both = np.isfinite(above) & np.isfinite(products[first, second])
        if both.any():
            below = products[first, second][both].sum()
            skills[j] = _root(above[both].sum() / below if below > 0 else -1.0)
    return skills


def _of_pairs(
    products: np.ndarray, common: np.ndarray, skills: np.ndarray
) -> np.ndarray:
    """Fills in skills that are NaN: least squares of log s_j + log s_k = log c_jk.

    A pair, a team or a chain leaves one number open: each set may be better if its
    neighbours are worse. Those most alike are taken then; a neighbour whose skill is
    known leaves nothing open. Pairs that agree by chance have no logarithm and are
    left out.

    Args:
      products: c_jk [A, A]; NaN for sets that share no example.
      common: examples that they share, [A, A].
      skills: [A]; those that are known stay.

    Raises:
      UserError: a set agrees with none of its neighbours more than by chance.
    """
    unknown = np.isnan(skills)
    above = products > 0  # NaN is not
    if np.any(unknown & np.isfinite(products).any(axis=1) & ~above.any(axis=1)):
        _root(0.0)
    losses = np.where(unknown, 0.0, -np.log(np.where(unknown, 1.0, skills)))
    pairs = np.triu(above & (unknown | unknown[:, np.newaxis]))
    if pairs.any():
        first, second = (np.eye(len(skills))[i] for i in np.nonzero(pairs))
        # The deviation of log c is about that of c, which the examples tell, over c.
        weight = np.sqrt(common[pairs]) * products[pairs]
        rows = [weight[:, np.newaxis] * (first + second), _ALIKE * (first - second)]
        sums = np.append(-weight * np.log(products[pairs]), np.zeros(len(weight)))
        rows = np.concatenate(rows)
        # No skill is above 1, so no loss is negative.
        losses[unknown], _ = optimize.nnls(rows[:, unknown], sums - rows @ losses)
    return np.where(unknown, np.exp(-losses), skills)


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

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.metrics import calibration


def two_classes(confidence: float, agreeing: int, count: int):
    """`count` answers of one confidence for class 0, and labels that agree so often."""
    probabilities = np.tile([confidence, 1 - confidence], (count, 1))
    labels = (np.arange(count) >= agreeing).astype(int)
    return probabilities, labels[None]


def test_a_temperature_divides_log_odds():
    # 0.9 / 0.1 = 9; its root is 3 = 0.75 / 0.25.
    found = calibration.scaled(np.array([[0.9, 0.1], [0.5, 0.5]]), 2.0)
    np.testing.assert_allclose(found, [[0.75, 0.25], [0.5, 0.5]])
    np.testing.assert_allclose(
        calibration.scaled(np.array([[0.0, 1.0, 0.0]]), 0.05), [[0, 1, 0]], atol=1e-12
    )


def test_a_temperature_keeps_the_answer():
    values = np.random.default_rng(0).dirichlet(np.ones(5), 50)
    for temperature in (0.1, 0.7, 5.0):
        found = calibration.scaled(values, temperature)
        np.testing.assert_array_equal(found.argmax(1), values.argmax(1))
        np.testing.assert_allclose(found.sum(1), 1.0)
    np.testing.assert_allclose(calibration.scaled(values, 1.0), values)


def test_one_label_set_is_taken_at_its_word():
    # Sure at 0.9, right in 8 of 10: odds 9^(1/T) = 4, T = ln 9 / ln 4 = 1.58496.
    found = calibration.calibrate(*two_classes(0.9, 8, 10))
    assert found.temperature == pytest.approx(1.58496, rel=1e-3)
    assert found.errors == (0.0,)
    assert found.num_examples == 10
    assert found.ece_before == pytest.approx(0.1)
    assert found.ece_after == pytest.approx(0.0, abs=1e-3)


def test_known_errors_of_the_labels_are_not_the_models():
    # 0.8 = 0.9 q + 0.1 (1 - q), q = 0.875; odds 7 = 9^(1/T), T = ln 9 / ln 7 = 1.12915.
    probabilities, labels = two_classes(0.9, 8, 10)
    errors = np.array([0.1])
    found = calibration.fit(probabilities, labels, errors)
    assert found == pytest.approx(1.12915, rel=1e-3)
    # An agreement counts (1 - 0.1) / 0.8 = 1.125, a disagreement -0.1 / 0.8 = -0.125.
    right = calibration.hits(probabilities, labels, errors)
    np.testing.assert_allclose(right, [1.125] * 8 + [-0.125] * 2)
    # Their mean is 0.875, 0.025 below the confidence.
    gap = calibration.expected_error(probabilities, labels, errors)
    assert gap == pytest.approx(0.025)


def three_sets() -> np.ndarray:
    """200 rows of 2 classes: 2 differs from 1 in 52 rows, 3 in 60, both in 21."""
    sets = np.zeros((3, 200), int)
    sets[1, :52] = 1
    sets[2, 31:91] = 1
    return sets


def test_errors_follow_from_agreement():
    # Agreements 0.74, 0.70 and 1 - (52 + 60 - 42) / 200 = 0.65; c = 2 a - 1 = 0.48, 0.4
    # and 0.3; s_1^2 = 0.48 * 0.4 / 0.3 = 0.64; s = 0.8, 0.6, 0.5; e = (1 - s) / 2.
    np.testing.assert_allclose(
        calibration.error_rates(three_sets(), 2), [0.1, 0.2, 0.25]
    )
    # Two sets share the root of 0.48.
    rate = (1 - np.sqrt(0.48)) / 2
    np.testing.assert_allclose(calibration.error_rates(three_sets()[:2], 2), rate)
    np.testing.assert_array_equal(calibration.error_rates(three_sets()[:1], 2), [0])


def test_sets_without_common_examples_are_taken_at_their_word():
    sets = np.full((3, 6), -1)
    for j in range(3):
        sets[j, 2 * j : 2 * j + 2] = 1
    np.testing.assert_array_equal(calibration.error_rates(sets, 4), [0, 0, 0])


def agreeing(pairs, sets: int) -> np.ndarray:
    """For each (j, k, r) 100 rows of 2 classes that sets j and k alone have, of which
    they agree on r: c = 2 r / 100 - 1."""
    made = np.full((sets, 100 * len(pairs)), -1)
    for number, (j, k, right) in enumerate(pairs):
        rows = slice(100 * number, 100 * number + 100)
        made[j, rows], made[k, rows] = 0, np.arange(100) >= right
    return made


def rates(pairs, sets: int) -> np.ndarray:
    return calibration.error_rates(agreeing(pairs, sets), 2)


def test_teams_share_a_rate_each():
    # c = 0.64 and 0.36, s = 0.8 and 0.6, e = (1 - s) / 2.
    found = rates([(0, 1, 82), (2, 3, 68)], 4)
    np.testing.assert_allclose(found, [0.1, 0.1, 0.2, 0.2], atol=1e-6)


def test_a_chain_has_what_its_pairs_say():
    np.testing.assert_allclose(rates([(0, 1, 68), (1, 2, 68)], 3), 0.2, atol=1e-6)
    # c = 0.5 and 0.32, with logarithms a and b of s_0 s_1 and s_1 s_2; log s_1 = x,
    # and (a - 2 x)^2 + (b - 2 x)^2 is least at (a + b) / 4: s_1 = 0.16^(1/4).
    middle = 0.16**0.25
    skills = np.array([0.5 / middle, middle, 0.32 / middle])
    found = rates([(0, 1, 75), (1, 2, 66)], 3)
    np.testing.assert_allclose(found, (1 - skills) / 2, atol=1e-6)
    # Nobody is right more than always: 0 and 1 always agree, 2 has c = 0.5 with 1.
    found = rates([(0, 1, 100), (1, 2, 75)], 3)
    np.testing.assert_allclose(found, [0, 0, 0.25], atol=1e-6)


def test_what_is_known_of_a_neighbour_leaves_nothing_open():
    # Beside the three sets, a fourth that shares rows with the first alone, whose skill
    # is 0.8: c = 0.4, s = 0.5.
    sets = np.full((4, 300), -1)
    sets[:3, :200] = three_sets()
    sets[[0, 3], 200:] = agreeing([(0, 1, 70)], 2)
    found = calibration.error_rates(sets, 2)
    np.testing.assert_array_equal(
        found[:3], calibration.error_rates(three_sets(), 2)[:3]
    )
    np.testing.assert_allclose(found[3], 0.25, atol=1e-6)


def test_a_set_that_stands_alone_leaves_the_others_their_rates():
    sets = np.full((4, 120), -1)
    sets[:2, :100] = agreeing([(0, 1, 68)], 2)
    sets[2, 100:] = 1
    found = calibration.error_rates(sets, 2)
    np.testing.assert_allclose(found, [0.2, 0.2, 0, 0], atol=1e-6)
    # The last has no label at all.
    assert calibration.alone(sets).tolist() == [False, False, True, False]


def test_a_chain_finds_the_temperature_of_the_truth():
    """Answers right as often as they say, and three sets that are wrong in 30 %."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 6000)
    sets = noisy_sets(truth, (0.3, 0.3, 0.3), 4, rng)
    sets[0, 3000:] = sets[2, :3000] = -1
    said = noisy_sets(truth, (0.2,), 4, rng)[0]
    probabilities = np.where(said[:, None] == np.arange(4), 0.8, 0.2 / 3)
    found = calibration.calibrate(probabilities, sets)
    np.testing.assert_allclose(found.errors, 0.3, atol=0.03)
    assert found.temperature == pytest.approx(1.0, abs=0.05)
    assert found.ece_before < 0.02


def test_missing_labels_say_nothing():
    sets = np.array([[0, -1, 2], [0, 1, -1]])
    found = calibration.likelihood(sets, np.array([0.2, 0.4]), 3)
    # Both say 0: 0.8 * 0.6 for class 0, 0.1 * 0.2 for others. Then one label each.
    expected = [[0.48, 0.02, 0.02], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]]
    np.testing.assert_allclose(found, expected)
    probabilities = np.tile([0.7, 0.2, 0.1], (3, 1))
    right = calibration.hits(probabilities, sets, np.array([0.2, 0.4]))
    # (1 - 0.1) / 0.7 and (1 - 0.2) / 0.4 where they agree, -0.2 / 0.4 and -0.1 / 0.7.
    np.testing.assert_allclose(right, [(0.9 / 0.7 + 2.0) / 2, -0.5, -0.1 / 0.7])


def noisy_sets(truth, rates, num_classes, rng):
    sets = np.tile(truth, (len(rates), 1))
    for row, rate in zip(sets, rates):
        wrong = rng.random(len(truth)) < rate
        row[wrong] = (row[wrong] + rng.integers(1, num_classes, wrong.sum())) % (
            num_classes
        )
    return sets


def test_noisy_labels_find_the_temperature_of_the_truth():
    """Truth drawn from p^(1/2): T is 2 though the labels are 20 to 40 % wrong."""
    rng = np.random.default_rng(1)
    values = rng.dirichlet(np.full(5, 0.3), 20_000)
    wanted = calibration.scaled(values, 2.0)
    truth = (wanted.cumsum(1) < rng.random((len(wanted), 1))).sum(1)
    sets = noisy_sets(truth, (0.2, 0.3, 0.4), 5, rng)
    found = calibration.calibrate(values, sets)
    np.testing.assert_allclose(found.errors, (0.2, 0.3, 0.4), atol=0.02)
    assert found.temperature == pytest.approx(2.0, rel=0.05)
    assert found.ece_before > 0.1 and found.ece_after < 0.02
    # One noisy set at its word would make the answers far too unsure.
    assert calibration.calibrate(values, sets[2:]).temperature > 3.0


def test_what_can_not_be_calibrated():
    with pytest.raises(UserError, match="no label to calibrate"):
        calibration.calibrate(np.full((2, 3), 1 / 3), np.full((2, 2), -1))
    opposite = np.array([[0, 1, 0, 1], [1, 0, 1, 0]])
    with pytest.raises(UserError, match="no more than by chance"):
        calibration.error_rates(opposite, 2)
    with pytest.raises(UserError, match="no more than by chance"):
        rates([(0, 1, 80), (1, 2, 50)], 3)

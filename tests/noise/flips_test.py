import collections
import pathlib

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.noise import flips

HUMAN_LABELS = pathlib.Path("../shared/data/cifar10n_human_labels.npz")


def rng(seed=0):
    return np.random.default_rng(seed)


def test_exclusive_flips_exactly_the_rate_asked():
    clean = rng().integers(0, 10, 50_000)
    for rate in (0.2, 0.3, 0.4):
        noisy = flips.flip_labels(clean, rate, 10, rng(1))
        assert flips.noise_rate(noisy, clean) == rate
    # round(0.3 * 9) = round(2.7) = 3
    assert np.sum(flips.flip_labels(np.zeros(9, int), 0.3, 10, rng()) != 0) == 3


def test_exclusive_reaches_every_other_class_alike():
    clean = np.full(90_000, 4)
    counts = np.bincount(flips.flip_labels(clean, 1.0, 10, rng()), minlength=10)
    assert counts[4] == 0
    # 10,000 expected in each, standard deviation 94; five of them allowed.
    assert np.all(np.abs(np.delete(counts, 4) - 10_000) < 470)


def test_exclusive_of_two_classes_swaps_all():
    np.testing.assert_array_equal(
        flips.flip_labels(np.array([0, 1, 1]), 1.0, 2, rng()), [1, 0, 0]
    )


def test_inclusive_keeps_a_tenth_of_the_chosen():
    clean = rng().integers(0, 10, 200_000)
    for rate, expected in ((0.2, 0.18), (0.3, 0.27), (0.4, 0.36)):
        noisy = flips.flip_labels(clean, rate, 10, rng(2), "inclusive")
        # Standard deviation at most sqrt(0.36 * 0.64 / 200,000) = 0.0011.
        assert abs(flips.noise_rate(noisy, clean) - expected) < 0.005


def test_inclusive_draws_from_all_classes_alike():
    noisy = flips.flip_labels(np.full(90_000, 4), 1.0, 9, rng(), "inclusive")
    # 10,000 expected in each, standard deviation 94; five of them allowed.
    assert np.all(np.abs(np.bincount(noisy, minlength=9) - 10_000) < 470)


def test_the_same_generator_gives_the_same_labels_and_the_input_stays():
    clean = np.arange(7)
    first = flips.flip_labels(clean, 0.5, 7, rng(3))
    np.testing.assert_array_equal(first, flips.flip_labels(clean, 0.5, 7, rng(3)))
    np.testing.assert_array_equal(clean, np.arange(7))
    assert first.dtype == np.int64


@pytest.mark.parametrize("semantics", flips.SEMANTICS)
def test_missing_labels_stay_missing_and_are_not_counted(semantics):
    clean = np.array([-1, 2, -1, 1, 0, 0])
    noisy = flips.flip_labels(clean, 1.0, 3, rng(), semantics)
    np.testing.assert_array_equal(noisy[[0, 2]], [-1, -1])
    if semantics == "exclusive":
        assert np.all(noisy[[1, 3, 4, 5]] != clean[[1, 3, 4, 5]])


def test_pairs_move_only_to_the_partner():
    clean = np.array([0] * 40 + [1] * 60 + [2] * 100)
    noisy = flips.flip_pairs(clean, 0.25, 3, {0: 2, 1: 0}, rng())
    moved = noisy != clean
    assert moved.sum() == 25  # a quarter of the 100 labels of classes 0 and 1
    assert set(zip(clean[moved], noisy[moved])) == {(0, 2), (1, 0)}


def test_the_2021_label_sets_have_the_rates_that_were_measured():
    if not HUMAN_LABELS.exists():
        pytest.skip(f"{HUMAN_LABELS} is absent")
    clean = np.load(HUMAN_LABELS)["clean_label"]
    sets = flips.authors_2021_label_sets(clean, (0.2, 0.3, 0.4))
    rates = [100 * flips.noise_rate(row, clean) for row in sets]
    np.testing.assert_allclose(rates, [17.59, 27.01, 36.05], atol=0.005)
    majority = flips.majority_vote(sets, 10)
    assert 100 * flips.noise_rate(majority, clean) == pytest.approx(10.18, abs=0.005)


def test_the_2021_draws_in_their_order():
    # random.Random(100): 0.1457 < 0.2, so randint(0, 9) = 7; 0.9517 keeps;
    # 0.1747 < 0.2, so randint(0, 9) = 6.
    sets = flips.authors_2021_label_sets([0, 1, 2], (0.2,), 10)
    np.testing.assert_array_equal(sets, [[7, 1, 6]])


def test_noise_rate():
    assert flips.noise_rate(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0])) == 0.25
    # Only the second and last are known on both sides; one of them differs.
    assert flips.noise_rate(np.array([-1, 1, 2]), np.array([0, 1, 0])) == 0.5
    assert flips.noise_rate(np.array([1, 2]), np.array([-1, 2])) == 0.0
    assert flips.noise_rate(np.array([-1]), np.array([0])) is None
    with pytest.raises(UserError, match=r"\(3,\) labels can't be compared with \(2,\)"):
        flips.noise_rate(np.zeros(3, int), np.zeros(2, int))


def test_majority_by_hand():
    sets = [[1, 0, 2, 3, -1], [1, 5, 5, 0, -1], [2, 5, 4, 0, -1]]
    # 1 twice; 5 twice; all differ, so the first set's 2; 0 twice; nobody voted.
    np.testing.assert_array_equal(flips.majority_vote(sets, 6), [1, 5, 2, 0, -1])


def test_a_tie_goes_to_the_tied_class_that_comes_first():
    # 7 once, 2 twice, 4 twice: 7 is not among the tied, 2 comes before 4.
    np.testing.assert_array_equal(
        flips.majority_vote([[7], [2], [4], [4], [2]], 8), [2]
    )
    np.testing.assert_array_equal(flips.majority_vote([[-1], [3], [1]], 4), [3])


def test_majority_equals_most_common():
    sets = rng().integers(0, 4, (5, 400))
    expected = [collections.Counter(c).most_common(1)[0][0] for c in sets.T.tolist()]
    np.testing.assert_array_equal(flips.majority_vote(sets), expected)


@pytest.mark.parametrize("rate", [-0.1, 1.5, "much", float("nan"), None])
def test_a_rate_outside_0_to_1_is_refused(rate):
    with pytest.raises(UserError, match=r"is not in \[0, 1\]"):
        flips.flip_labels(np.zeros(3, int), rate, 3, rng())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: flips.flip_labels(np.array([3]), 0.1, 3, rng()), "Label 3 is not in"),
        (lambda: flips.flip_labels(np.array([0.5]), 0.1, 3, rng()), "integers"),
        (lambda: flips.flip_labels(np.array([0]), 0.1, 1, rng()), "at least 2 classes"),
        (
            lambda: flips.flip_labels(np.array([0]), 0.1, 3, rng(), "sometimes"),
            "Unknown flip semantics 'sometimes'",
        ),
        (
            lambda: flips.flip_pairs(np.array([0]), 0.1, 3, {1: 1}, rng()),
            "pair 1->1 needs two different classes",
        ),
        (lambda: flips.majority_vote(np.array([1, 2])), r"\[k, n\], got shape \(2,\)"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(UserError, match=message):
        call()

import numpy as np
import pytest
from scipy import stats

from kfer.crowd import people
from kfer.metrics import classification, continuous, intervals


def test_wilson_by_hand():
    # z = 1.95996: (8 + z^2/2) / (10 + z^2) = 9.92073 / 13.84146 = 0.71674, and
    # sqrt(10 * 0.8 * 0.2 + z^2/4) z / (10 + z^2) = 1.60011 z / 13.84146 = 0.22658.
    low, high = intervals.share(8, 10)
    assert (low, high) == (
        pytest.approx(0.49016, abs=1e-5),
        pytest.approx(0.94332, abs=1e-5),
    )
    assert intervals.share(0, 0) is None


def test_classes_are_resampled_as_examples_would_be():
    rng = np.random.default_rng(3)
    true = rng.integers(3, size=60)
    said = np.where(rng.random(60) < 0.6, true, rng.integers(3, size=60))
    found = intervals.of_classes(
        classification.confusion_matrix(true, said, 3), np.random.default_rng(0)
    )
    rows = [rng.integers(60, size=60) for _ in range(4000)]
    drawn = [classification.confusion_matrix(true[r], said[r], 3) for r in rows]
    for name in ("mean_class_accuracy", "macro_f1"):
        values = [getattr(classification, name)(confusion) for confusion in drawn]
        expected = np.percentile(values, (2.5, 97.5))
        np.testing.assert_allclose(found[name], expected, atol=0.02)
    assert found["accuracy"] == intervals.share(int(np.sum(true == said)), 60)


def test_a_class_that_a_draw_lacks_is_left_out_of_its_mean():
    # One example of the second class: about 37 % of the draws don't have it.
    confusion = np.diag([40, 1])
    found = intervals.of_classes(confusion, np.random.default_rng(0))
    assert found["mean_class_accuracy"] == (1.0, 1.0) == found["macro_f1"]


def test_values_are_the_measures_of_the_drawn_examples():
    rng = np.random.default_rng(5)
    true = rng.normal(0.3, 0.4, (40, 2))
    pred = 0.5 * true + rng.normal(0.1, 0.2, (40, 2))
    found = intervals.of_values(true, pred, np.random.default_rng(7))
    again = np.random.default_rng(7)
    rows = np.concatenate([again.integers(40, size=(50, 40)) for _ in range(20)])
    assert len(rows) == intervals.DRAWS
    for name in ("ccc", "rmse", "sagr"):
        measure = continuous.MEASURES[name]
        values = [measure(true[r], pred[r]).mean() for r in rows]
        np.testing.assert_allclose(found[name], np.percentile(values, (2.5, 97.5)))


def test_too_few_examples_have_no_bootstrap():
    few = intervals.FEWEST - 1
    found = intervals.of_classes(np.diag([few, 0]), np.random.default_rng(0))
    assert found["accuracy"] == intervals.share(few, few)
    assert found["mean_class_accuracy"] is None is found["macro_f1"]
    nothing = intervals.of_classes(np.zeros((2, 2), int), np.random.default_rng(0))
    assert set(nothing.values()) == {None}
    rows = np.zeros((few, 2))
    assert set(intervals.of_values(rows, rows, np.random.default_rng(0)).values()) == {
        None
    }


def test_the_share_of_labels_that_stand_and_fall_together_by_hand():
    # Two labels each of four pictures, 6 of 8 right: sum (2 - 1.5)^2 3 + 1.5^2 = 3; the
    # share's variance 3 / 8^2 4 / 3 = 1/16, and 3/16 over it is 3. t of 3 is 3.18245.
    n = 3 / (3.18245 / 1.95996) ** 2
    found = intervals.share_of_pictures(np.array([2, 2, 2, 0]), np.full(4, 2))
    expected = np.ravel(people.wilson(np.array([0.75 * n]), np.array([n])))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # Labels that vary less than independent ones are as many as they are, not more.
    n = 8 / (stats.t.ppf(0.975, 3) / 1.95996) ** 2
    found = intervals.share_of_pictures(np.array([1, 1, 2, 2]), np.full(4, 2))
    expected = np.ravel(people.wilson(np.array([0.75 * n]), np.array([n])))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # All right tells as much as a label a picture.
    found = intervals.share_of_pictures(np.array([3, 3, 1]), np.array([3, 3, 1]))
    assert found == intervals.share(3, 3)
    assert intervals.share_of_pictures(np.array([2]), np.array([3]))[0] < 0.1


def labelled(pictures: int, rng: np.random.Generator):
    """Three labels each, 95 % right, beside answers that are right in 70 %."""
    truth = rng.integers(2, size=pictures)
    said = np.where(rng.random(pictures) < 0.7, truth, 1 - truth)
    labels = np.where(rng.random((3, pictures)) < 0.95, truth, 1 - truth)
    return labels.ravel(), np.tile(said, 3), np.tile(np.arange(pictures), 3)


def test_intervals_of_labels_hold_the_share_as_often_as_they_say():
    rng = np.random.default_rng(0)
    expected, inside = 0.7 * 0.95 + 0.3 * 0.05, []
    for _ in range(2000):
        labels, said, picture = labelled(100, rng)
        hits = np.bincount(picture, labels == said)
        low, high = intervals.share_of_pictures(hits, np.bincount(picture))
        inside.append(low <= expected <= high)
    # Three standard deviations of 2,000 draws; with n labels it is .78.
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_pictures_are_drawn_with_all_their_labels():
    labels, said, picture = labelled(40, np.random.default_rng(2))
    rng = np.random.default_rng(7)
    found = intervals.of_labels(labels, said, 2, picture + 5, rng)
    again = np.random.default_rng(7)
    draws = [again.integers(40, size=40) for _ in range(intervals.DRAWS)]
    rows = [np.concatenate([d, d + 40, d + 80]) for d in draws]
    drawn = [classification.confusion_matrix(labels[r], said[r], 2) for r in rows]
    for name in ("mean_class_accuracy", "macro_f1"):
        values = [getattr(classification, name)(confusion) for confusion in drawn]
        np.testing.assert_allclose(found[name], np.percentile(values, (2.5, 97.5)))
    hits = np.bincount(picture, labels == said)
    assert found["accuracy"] == intervals.share_of_pictures(hits, np.full(40, 3))


def test_copies_of_labels_tell_nothing_new():
    rng = np.random.default_rng(5)
    true = rng.normal(0.3, 0.4, (40, 2))
    pred = 0.5 * true + rng.normal(0.1, 0.2, (40, 2))
    once = intervals.of_values(true, pred, np.random.default_rng(7))
    thrice = intervals.of_values(
        np.tile(true, (3, 1)),
        np.tile(pred, (3, 1)),
        np.random.default_rng(7),
        np.tile(np.arange(40), 3),
    )
    for name, ends in once.items():
        np.testing.assert_allclose(thrice[name], ends)


def test_too_few_pictures_have_no_bootstrap():
    rng = np.random.default_rng(0)
    labels, said, picture = labelled(intervals.FEWEST - 1, rng)
    found = intervals.of_labels(labels, said, 2, picture, rng)
    assert found["accuracy"] and found["mean_class_accuracy"] is None
    rows = np.zeros((len(picture), 1))
    assert set(intervals.of_values(rows, rows, rng, picture).values()) == {None}

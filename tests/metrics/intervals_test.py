import numpy as np
import pytest

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

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.metrics import classification

LABELS = np.array([0, 0, 1, 1, 2])
PREDICTIONS = np.array([0, 1, 1, 1, 0])
CONFUSION = np.array([[1, 1, 0, 0], [0, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])


def random_case(num_classes=7, n=500):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, num_classes, n)
    logits = rng.normal(size=(n, num_classes)) + 1.5 * np.eye(num_classes)[labels]
    probabilities = np.exp(logits)
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_confusion_by_hand():
    found = classification.confusion_matrix(LABELS, PREDICTIONS, 4)
    np.testing.assert_array_equal(found, CONFUSION)


def test_measures_by_hand():
    assert classification.accuracy(CONFUSION) == pytest.approx(3 / 5)
    assert classification.recalls(CONFUSION) == [0.5, 1.0, 0.0, None]
    assert classification.mean_class_accuracy(CONFUSION) == pytest.approx(0.5)
    # F1: 2/(2+1+1) = 0.5, 4/(4+1) = 0.8, 0; class 3 neither occurs nor is predicted.
    assert classification.macro_f1(CONFUSION) == pytest.approx(1.3 / 3)
    # Observed 0.6; chance (2*2 + 3*2 + 0*1) / 25 = 0.4; 0.2 / 0.6.
    assert classification.cohen_kappa(CONFUSION) == pytest.approx(1 / 3)


def test_a_class_only_predicted_scores_zero_in_f1_but_has_no_recall():
    confusion = np.array([[3, 1], [0, 0]])
    # Class 0: 6 / (6 + 1); class 1: 0.
    assert classification.macro_f1(confusion) == pytest.approx(3 / 7)
    assert classification.mean_class_accuracy(confusion) == 0.75


def test_no_example_is_none():
    empty = np.zeros((3, 3), int)
    for measure in (
        classification.accuracy,
        classification.mean_class_accuracy,
        classification.macro_f1,
        classification.cohen_kappa,
    ):
        assert measure(empty) is None
    bins = classification.reliability(np.zeros((0, 3)), np.zeros(0, int))
    assert classification.expected_calibration_error(bins) is None
    assert bins["count"] == [0] * 15 and bins["accuracy"] == [None] * 15


def test_kappa_of_a_constant_answer_is_none():
    assert classification.cohen_kappa(np.array([[5, 0], [0, 0]])) is None


def test_measures_equal_tensorflow_addons():
    tfa = pytest.importorskip("tensorflow_addons")
    labels, probabilities = random_case()
    predictions = probabilities.argmax(axis=1)
    confusion = classification.confusion_matrix(labels, predictions, 7)
    f1 = tfa.metrics.F1Score(7, average="macro")
    f1.update_state(np.eye(7, dtype="float32")[labels], probabilities.astype("float32"))
    assert classification.macro_f1(confusion) == pytest.approx(float(f1.result()), 1e-5)
    kappa = tfa.metrics.CohenKappa(7, sparse_labels=True)
    kappa.update_state(labels, predictions)
    assert classification.cohen_kappa(confusion) == pytest.approx(
        float(kappa.result()), 1e-5
    )
    per_class = tfa.metrics.MultiLabelConfusionMatrix(7)
    per_class.update_state(np.eye(7)[labels], np.eye(7)[predictions])
    true_positives = per_class.result().numpy()[:, 1, 1]
    false_negatives = per_class.result().numpy()[:, 1, 0]
    np.testing.assert_array_equal(np.diag(confusion), true_positives)
    np.testing.assert_allclose(
        classification.recalls(confusion),
        true_positives / (true_positives + false_negatives),
    )


def test_calibration_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.58, 0.42], [0.35, 0.65], [0.65, 0.35]])
    bins = classification.reliability(probabilities, np.array([0, 1, 1, 1]))
    # 0.9 right; 0.58 wrong; both 0.65 in (0.6, 0.667], one right.
    assert bins["count"] == [0] * 8 + [1, 2, 0, 0, 0, 1, 0]
    assert bins["accuracy"][8:10] == [0.0, 0.5] and bins["accuracy"][13] == 1.0
    assert bins["confidence"][9] == pytest.approx(0.65)
    assert bins["accuracy"][0] is None
    # (|1 - 0.9| + |0 - 0.58| + 2 |0.5 - 0.65|) / 4
    ece = classification.expected_calibration_error(bins)
    assert ece == pytest.approx((0.1 + 0.58 + 0.3) / 4)


def test_certain_and_right_is_calibrated():
    bins = classification.reliability(np.eye(3), np.arange(3))
    assert bins["count"][-1] == 3
    assert classification.expected_calibration_error(bins) == 0.0


def test_calibration_equals_a_plain_loop():
    labels, probabilities = random_case()
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    expected = 0.0
    for b in range(15):
        inside = (confidence > b / 15) & (confidence <= (b + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(
                right[inside].mean() - confidence[inside].mean()
            )
    bins = classification.reliability(probabilities, labels)
    assert classification.expected_calibration_error(bins) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: classification.confusion_matrix(np.array([7]), np.array([0]), 7),
            "A label is outside 0..6: found 7..7",
        ),
        (
            lambda: classification.confusion_matrix(np.array([0]), np.array([-1]), 7),
            "A prediction is outside 0..6",
        ),
        (
            lambda: classification.confusion_matrix(
                np.zeros(2, int), np.zeros(3, int), 7
            ),
            r"\(3,\) predictions for \(2,\) labels",
        ),
        (
            lambda: classification.check_probabilities(np.array([[np.nan, 1.0]])),
            "1 predictions are not finite: the model has diverged",
        ),
        (
            lambda: classification.check_probabilities(np.array([[3.0, -2.0]])),
            "were these logits",
        ),
        (
            lambda: classification.check_probabilities(np.array([[0.5, 0.7]])),
            r"sums 1\.2\.\.1\.2; were these logits",
        ),
        (lambda: classification.check_probabilities(np.zeros(3)), r"\[n, K\]"),
    ],
)
def test_bad_input_is_told(call, message):
    with pytest.raises(UserError, match=message):
        call()

"""Measures of class predictions: pure NumPy.

All but calibration follow from the confusion matrix C[true, predicted]. A measure of no
example is None, never NaN.
"""

from typing import Any

import numpy as np

from kfer.errors import DivergedError, UserError

NUM_BINS = 15


def confusion_matrix(
    labels: np.ndarray, predictions: np.ndarray, num_classes: int
) -> np.ndarray:
    """Counts int64 [K, K] by true (row) and predicted (column) class.

    Args:
      labels: integers [n] in 0..K-1.
      predictions: integers [n] in 0..K-1.
      num_classes: K.

    Raises:
      UserError: a class out of range or the two differ in length.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape:
        raise UserError(
            f"{predictions.shape} predictions for {labels.shape} labels; "
            "expected as many"
        )
    for name, values in (("label", labels), ("prediction", predictions)):
        if values.size and not 0 <= values.min() <= values.max() < num_classes:
            raise UserError(
                f"A {name} is outside 0..{num_classes - 1}: found "
                f"{values.min()}..{values.max()}; mask what is missing"
            )
    cells = labels.astype(np.int64) * num_classes + predictions.astype(np.int64)
    counts = np.bincount(cells, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def accuracy(confusion: np.ndarray) -> float | None:
    """Share of examples on the diagonal; None if there is none."""
    total = confusion.sum()
    return float(np.trace(confusion) / total) if total else None


def recalls(confusion: np.ndarray) -> list[float | None]:
    """Accuracy within each true class; None for a class without examples."""
    counts = confusion.sum(axis=1)
    rows = zip(np.diag(confusion), counts, strict=True)
    return [float(right / count) if count else None for right, count in rows]


def mean_class_accuracy(confusion: np.ndarray) -> float | None:
    """Mean recall over the classes that have examples (UAR); None if none has."""
    found = [recall for recall in recalls(confusion) if recall is not None]
    return float(np.mean(found)) if found else None


def macro_f1(confusion: np.ndarray) -> float | None:
    """Mean F1 = 2 TP / (2 TP + FP + FN) over the classes that occur.

    A class occurs if it is true or predicted at least once, scikit-learn's default; one
    that is predicted but never true scores 0. None if there is no example.
    """
    occurs = confusion.sum(axis=0) + confusion.sum(axis=1)
    present = occurs > 0
    if not present.any():
        return None
    return float(np.mean(2.0 * np.diag(confusion)[present] / occurs[present]))


def cohen_kappa(confusion: np.ndarray) -> float | None:
    """Agreement beyond chance of two label sets: (observed - chance) / (1 - chance).

    None if there is no example or chance is 1 (both only ever say one same class).
    """
    total = confusion.sum()
    if not total:
        return None
    observed = np.trace(confusion) / total
    chance = float(confusion.sum(axis=0) @ confusion.sum(axis=1)) / float(total) ** 2
    return float((observed - chance) / (1.0 - chance)) if chance < 1.0 else None


def check_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """The probabilities as float64 [n, K].

    Raises:
      UserError: not [n, K], outside [0, 1], or a row does not sum to 1.
      DivergedError: not finite.
    """
    values = np.asarray(probabilities, np.float64)
    if values.ndim != 2:
        raise UserError(f"Class probabilities are [n, K], got {values.shape}")
    if not np.all(np.isfinite(values)):
        raise DivergedError(
            f"{np.sum(~np.isfinite(values).all(axis=1))} predictions are not finite: "
            "the model has diverged; train again with a lower learning rate"
        )
    sums = values.sum(axis=1)
    if values.size and (values.min() < -1e-4 or np.abs(sums - 1.0).max() > 1e-3):
        raise UserError(
            "Class probabilities must not be negative and must sum to 1 a row, got "
            f"sums {sums.min():.4g}..{sums.max():.4g}; were these logits?"
        )
    return values


def reliability(
    probabilities: np.ndarray, labels: np.ndarray, num_bins: int = NUM_BINS
) -> dict[str, list[Any]]:
    """Accuracy against confidence, in equal bins of the top probability.

    Bin b is (b / num_bins, (b + 1) / num_bins]; 0 falls into the first.

    Args:
      probabilities: [n, K].
      labels: true classes [n].
      num_bins: number of bins.

    Returns:
      Lists of length num_bins: 'low', 'high', 'count', and 'confidence' and 'accuracy',
      the bin's means, None where it is empty.
    """
    values = check_probabilities(probabilities)
    confidence = values.max(axis=1, initial=0.0)
    correct = values.argmax(axis=1) == np.asarray(labels) if len(values) else []
    return reliability_of(confidence, correct, num_bins)


def reliability_of(
    confidence: np.ndarray, correct: Any, num_bins: int = NUM_BINS
) -> dict[str, list[Any]]:
    """`reliability` of confidences [n] in [0, 1] that were right (1) or not (0)."""
    edges = np.linspace(0.0, 1.0, num_bins + 1)
    bins = np.clip(np.searchsorted(edges, confidence) - 1, 0, num_bins - 1)
    count = np.bincount(bins, minlength=num_bins)
    sums = [np.bincount(bins, w, num_bins) for w in (confidence, correct)]
    means = [(row / np.maximum(count, 1)).tolist() for row in sums]
    shown = [
        [mean if n else None for mean, n in zip(row, count, strict=True)]
        for row in means
    ]
    return {
        "low": edges[:-1].tolist(),
        "high": edges[1:].tolist(),
        "count": count.tolist(),
        "confidence": shown[0],
        "accuracy": shown[1],
    }


def expected_calibration_error(bins: dict[str, list[Any]]) -> float | None:
    """Mean |accuracy - confidence| over the bins of `reliability`, weighted by count.

    None if there is no example.
    """
    total = sum(bins["count"])
    rows = zip(bins["count"], bins["confidence"], bins["accuracy"], strict=True)
    gaps = [n * abs(a - c) for n, c, a in rows if n]
    return float(sum(gaps) / total) if total else None

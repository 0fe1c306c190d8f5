"""All measures of one task, as plain values that survive JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kfer.errors import UserError
from kfer.metrics import classification, continuous
from kfer.tasks import CATEGORICAL, CONTINUOUS, LabelTask

# Errors: the smaller the better. All other measures are the better the larger.
LOWER_IS_BETTER = ("ece", "rmse", "mse")
OF_CLASSES = ("accuracy", "mean_class_accuracy", "macro_f1", "ece")
MEASURES = {CATEGORICAL: OF_CLASSES, CONTINUOUS: tuple(continuous.MEASURES)}


def evaluate_task(
    task: LabelTask,
    predictions: np.ndarray,
    targets: np.ndarray,
    mask: np.ndarray | None = None,
) -> dict[str, Any]:
    """Scores a task's predictions over the examples whose truth is given.

    Args:
      task: the label task.
      predictions: class probabilities [n, K], or values [n, D] in the label's unit.
      targets: classes [n] or values [n, D]; anything where masked.
      mask: [n], 0 where the target is missing; all are given if None.

    Returns:
      'num_examples' and, for classes, 'accuracy', 'mean_class_accuracy', 'macro_f1',
      'ece', 'recall' by class, 'confusion' (rows true) and 'reliability'; for values
      'ccc', 'pcc', 'rmse', 'mse', 'sagr' as means over the dimensions, and
      'by_dimension'. With no example, and for a class without one, a measure is None
      (JSON null), never NaN.

    Raises:
      UserError: shapes that don't fit the task, a target out of range, a prediction
        that is not finite.
    """
    predictions, targets = np.asarray(predictions), np.asarray(targets)
    expected = (len(targets), task.size)
    shape = expected[:1] if task.is_categorical else expected
    if predictions.shape != expected or targets.shape != shape:
        raise UserError(
            f"Task {task.name!r} has predictions {predictions.shape} and targets "
            f"{targets.shape}; expected {expected} and {shape}"
        )
    given = np.ones(len(targets)) if mask is None else np.asarray(mask)
    if given.shape != (len(targets),):
        raise UserError(
            f"Task {task.name!r} has a mask {given.shape} for {len(targets)} examples"
        )
    score = _categorical if task.is_categorical else _continuous
    return score(task, predictions[given > 0], targets[given > 0])


def _categorical(
    task: LabelTask, probabilities: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    probabilities = classification.check_probabilities(probabilities)
    labels = labels.astype(np.int64)
    confusion = classification.confusion_matrix(
        labels, probabilities.argmax(axis=1), task.size
    )
    recalls = classification.recalls(confusion)
    bins = classification.reliability(probabilities, labels)
    return {
        "num_examples": len(labels),
        "accuracy": classification.accuracy(confusion),
        "mean_class_accuracy": classification.mean_class_accuracy(confusion),
        "macro_f1": classification.macro_f1(confusion),
        "ece": classification.expected_calibration_error(bins),
        "recall": dict(zip(task.classes, recalls, strict=True)),
        "confusion": confusion.tolist(),
        "reliability": bins,
    }


def _continuous(
    task: LabelTask, predictions: np.ndarray, values: np.ndarray
) -> dict[str, Any]:
    if not len(values):
        nothing = dict.fromkeys(continuous.MEASURES)
        by_dimension = {name: dict(nothing) for name in task.dimensions}
        return {"num_examples": 0, **nothing, "by_dimension": by_dimension}
    found = {n: f(values, predictions) for n, f in continuous.MEASURES.items()}
    return {
        "num_examples": len(values),
        **{name: float(np.mean(scores)) for name, scores in found.items()},
        "by_dimension": {
            dimension: {name: float(scores[i]) for name, scores in found.items()}
            for i, dimension in enumerate(task.dimensions)
        },
    }


def measures(scores: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the single numbers in a task's evaluate_task."""
    return OF_CLASSES if "accuracy" in scores else tuple(continuous.MEASURES)


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.2f} %"


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4f}"


def _compared(scores: Mapping[str, Any]) -> str:
    """What a row is against that has a yardstick of its own, see score_of."""
    if "against" not in scores:
        return ""
    return f" [{scores['against']} of the split {scores['split']}]"


def _describe(name: str, scores: Mapping[str, Any]) -> str:
    return _measured(name, scores) + _compared(scores)


def _measured(name: str, scores: Mapping[str, Any]) -> str:
    if "accuracy" in scores:
        return (
            f"{name}: accuracy {_percent(scores['accuracy'])}, "
            f"mean class {_percent(scores['mean_class_accuracy'])}, "
            f"macro F1 {_number(scores['macro_f1'])}, ECE {_number(scores['ece'])}"
        )
    parts = [
        f"{dimension} {_number(row['ccc'])}"
        for dimension, row in scores["by_dimension"].items()
    ]
    return (
        f"{name}: CCC {_number(scores['ccc'])} ({', '.join(parts)}), "
        f"RMSE {_number(scores['rmse'])}, SAGR {_percent(scores['sagr'])}"
    )


def summary_line(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """One line to print: task name -> its evaluate_task, tasks parted by semicolons."""
    return "; ".join(_describe(name, row) for name, row in scores.items())


def brief_line(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """One short line: the accuracy or CCC of each task."""
    return ", ".join(
        (
            f"{name} accuracy {_percent(row['accuracy'])}"
            if "accuracy" in row
            else f"{name} CCC {_number(row['ccc'])}"
        )
        + _compared(row)
        for name, row in scores.items()
    )


def score_of(scores: Mapping[str, Mapping[str, Any]]) -> float:
    """The number that ranks evaluations: mean over targets of accuracy or CCC.

    Targets without an example are left out, and those that are compared with something
    else than the others, as their 'split' and 'against' say; without any it is -inf.
    """
    values = [
        row["accuracy" if "accuracy" in row else "ccc"]
        for row in scores.values()
        if "against" not in row
    ]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else -np.inf

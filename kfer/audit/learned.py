"""What a method has learned itself of whoever wrote a label column."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from kfer.audit import reliability
from kfer.audit.answers import Answers


def confusions(answers: Answers, column: str) -> np.ndarray | None:
    """The matrices of a column's annotators.

    Args:
      answers: of the run.
      column: of classes.

    Returns:
      [A, K, K] T[true, given], a row for each annotator of a crowd column, else one;
      None if the method has none.
    """
    method = answers.method
    transitions = getattr(method, "transitions", dict)()
    if place := _place(getattr(method, "truths", {}).values(), column):
        target, own = place
        return transitions[target][own]
    for task in answers.config.tasks:
        if task.column == column and task.name in transitions:
            return np.asarray(transitions[task.name])[np.newaxis]
    return None


def account(answers: Answers, column: str) -> dict[str, Any] | None:
    """The first annotator's confusion and reliability, see reliability.of_matrix."""
    matrices = confusions(answers, column)
    if matrices is None:
        return None
    return reliability.of_matrix(matrices[0], _shares(answers, column))


def people(
    answers: Answers, column: str, names: Iterable[str]
) -> list[dict[str, Any]] | None:
    """Each annotator of a crowd column, the least reliable first.

    Args:
      answers: of the run.
      column: of the crowd.
      names: of its annotators, by number.

    Returns:
      Rows of 'annotator', 'reliability' and 'confusion'. None if the method has learned
      none, or from other data, where a number may be another person's.
    """
    matrices = confusions(answers, column)
    if matrices is None or not answers.run["learned_these_labels"]:
        return None
    shares = _shares(answers, column)
    rows = [
        {"annotator": name} | reliability.of_matrix(matrix, shares)
        for name, matrix in zip(names, matrices, strict=True)
    ]
    return sorted(rows, key=lambda row: row["reliability"])


def values(answers: Answers, column: str) -> dict[str, Any] | None:
    """Bias, scale and sigma [D] of a value column's one annotator, as lists."""
    method = answers.method
    if place := _place(getattr(method, "value_truths", {}).values(), column):
        target, own = place
        found = method.value_annotators()[target]
        parts = ("bias", "scale", "sigma")
        return {
            name: part[own][0].tolist() for name, part in zip(parts, found, strict=True)
        }
    said = getattr(method, "annotators", dict)()
    for task in answers.config.tasks:
        if task.column == column and task.name in said:
            return {k: v.tolist() for k, v in said[task.name]._asdict().items()}
    return None


def _place(truths: Iterable[Any], column: str) -> tuple[str, slice] | None:
    """Target and rows of a column's annotators, where a truth's are numbered from label
    set to label set."""
    for truth in truths:
        first = 0
        for task, count in zip(truth.tasks, truth.counts_of, strict=True):
            if task.column == column:
                return truth.target, slice(first, first + count)
            first += count
    return None


def _shares(answers: Answers, column: str) -> np.ndarray:
    """The model's shares of the true classes, [K]."""
    target = next(t.target for t in answers.config.tasks if t.column == column)
    return answers.by_target[target].mean(axis=0)

"""Labels of pictures in memory, as a model's answers are compared with them."""

from typing import Any

import numpy as np

from kfer import tasks as tasks_lib
from kfer.errors import UserError
from kfer.python import elements, kinds


def truth(
    task: tasks_lib.LabelTask, rows: Any, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of one target, and where they are known.

    Args:
      task: of the target.
      rows: [n] classes (numbers or names, whatever their case), or [n, D] values.
        Missing are as those of from_arrays.
      count: n, of the pictures.

    Returns:
      int64 [n] or float64 [n, D], 0 where missing; and float32 [n] of 0 and 1.

    Raises:
      UserError: another number of labels, no class of the target's, or a value out of
        its range.
    """
    part = elements.read(task.target, rows)
    if not task.is_categorical:
        return _values(task, part, count)
    if part.numbers.shape != (count,):
        raise _other_shape(task, part.numbers.shape, (count,))
    found = kinds.codes(task.target, part, task.classes)
    return np.maximum(found, 0), (found >= 0).astype(np.float32)


def _values(
    task: tasks_lib.LabelTask, part: elements.Elements, count: int
) -> tuple[np.ndarray, np.ndarray]:
    size = len(task.dimensions)
    found = kinds.values(task.target, part, (task.low, task.high))
    if size == 1 and found.ndim == 1:
        found = found[:, np.newaxis]
    if found.shape != (count, size):
        raise _other_shape(task, found.shape, (count, size))
    known = np.isfinite(found).all(axis=1)
    given = found[known]
    if (odd := given[(given < task.low) | (given > task.high)]).size:
        raise UserError(
            f"{task.target} has the value {odd[0]:g}; the model's values are in "
            f"[{task.low:g}, {task.high:g}]"
        )
    return np.where(known[:, np.newaxis], found, 0.0), known.astype(np.float32)


def _other_shape(
    task: tasks_lib.LabelTask, found: tuple[int, ...], wanted: tuple[int, ...]
) -> UserError:
    return UserError(
        f"{wanted[0]} pictures need labels {list(wanted)} of {task.target!r}; got "
        f"{list(found)}"
    )

"""Whether a data set's columns mean what a model answers, and what they do mean."""

from collections.abc import Iterable

from kfer import tasks as tasks_lib
from kfer.data.dataset import Dataset
from kfer.data.record import Column
from kfer.tasks import LabelTask


def unlike(dataset: Dataset, tasks: Iterable[LabelTask]) -> str:
    """Why no column of a data set can be compared with answers.

    Args:
      dataset: prepared.
      tasks: of the model.

    Returns:
      A sentence's text; '' where a column has what is answered, or there is none.
    """
    tasks = tuple(tasks)
    columns = [*dataset.columns.values(), *dataset.clean_columns.values()]
    outputs = {task.outputs for task in tasks}
    if not columns or outputs & {c.classes or c.dimensions for c in columns}:
        return ""
    return (
        f"The model answers {contrast(tasks, columns)}: nothing of {dataset.root} can "
        "be compared with it; that takes the same classes in the same order"
    )


def contrast(tasks: Iterable[LabelTask], columns: Iterable[Column]) -> str:
    """'mood: calm, tense; the label columns are of fury, joy'.

    Args:
      tasks: of a model.
      columns: of a data set, of which no one has what a task answers.
    """
    answered = tasks_lib.task_of_target(tuple(tasks))
    has = {column.classes or column.dimensions for column in columns}
    said = "; ".join(f"{t}: {', '.join(k.outputs)}" for t, k in answered.items())
    told = " and of ".join(
        _listed(outputs, answered.values()) for outputs in sorted(has)
    )
    return f"{said}; the label columns are of {told}"


def _listed(outputs: tuple[str, ...], tasks: Iterable[LabelTask]) -> str:
    moved = any(
        outputs != task.outputs and sorted(outputs) == sorted(task.outputs)
        for task in tasks
    )
    return ", ".join(outputs) + (" (the same in another order)" if moved else "")

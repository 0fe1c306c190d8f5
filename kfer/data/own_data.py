"""The label tasks that a prepared data set of one's own declares."""

from collections.abc import Mapping, Sequence
from typing import Any

from kfer.data import shards
from kfer.data.dataset import Dataset
from kfer.data.label_noise import ANNOTATOR
from kfer.data.names import safe_names
from kfer.data.record import LABEL, Column
from kfer.data.rewrite import KEPT
from kfer.errors import UserError
from kfer.settings import own_data
from kfer.settings.config import ExperimentConfig
from kfer.tasks import CATEGORICAL, LabelTask

MAJORITY = "majority"


def tasks_of(
    dataset: Dataset, names: Sequence[str] = (), split: str = "train"
) -> tuple[LabelTask, ...]:
    """One task for each label column that the split has values of.

    An annotator's column is a label set of its truth; any other column is one of its
    own truth. What follows from other columns is no label set and left out, unless it
    is named: a majority vote, what a correction replaced, and votes that label sets
    were drawn from. So name votes to learn their shares as soft labels.

    Args:
      dataset: prepared.
      names: columns, or truths, which stand for all their label sets; all if empty.
      split: whose labels are learned.

    Raises:
      UserError: an unknown name, a name without a label, or no label at all.
    """
    given = dataset.split(split).given
    filled = {n: c for n, c in dataset.columns.items() if given.get(LABEL + n)}
    place = f"{split} in {dataset.root}"
    return tasks_of_columns(filled, dataset.clean_columns, place, names)


def tasks_of_columns(
    filled: Mapping[str, Column],
    clean: Mapping[str, Column],
    place: str,
    names: Sequence[str] = (),
) -> tuple[LabelTask, ...]:
    """tasks_of label columns that have values.

    Args:
      filled: label columns by name.
      clean: columns of the truth by name.
      place: where they are, for errors.
      names: see tasks_of.
    """
    targets = {name: target_of(c, clean) for name, c in filled.items()}
    if unknown := [n for n in names if n not in filled and n not in targets.values()]:
        raise UserError(
            f"There are no labels {unknown[0]!r} in {place}; it has "
            f"{', '.join(filled) or 'none'}"
            + (f", of {', '.join(dict.fromkeys(targets.values()))}" if targets else "")
        )
    derived = {n for n in filled if _is_derived(n, filled, targets)}
    chosen = [n for n in filled if _is_chosen(n, targets[n], names, derived)]
    if not chosen:
        raise UserError(f"{place} has no label to learn from")
    safe = safe_names(chosen)
    return tuple(_task(safe[name], filled[name], targets[name]) for name in chosen)


def _is_derived(
    name: str, filled: Mapping[str, Column], targets: Mapping[str, str]
) -> bool:
    # Label sets that are drawn from votes say again what the votes say.
    others = (n for n, t in targets.items() if t == targets[name] and n != name)
    drawn = filled[name].is_votes and any(others)
    return drawn or name == MAJORITY or name.startswith(KEPT)


def _is_chosen(name: str, target: str, names: Sequence[str], derived: set[str]) -> bool:
    if not names:
        return name not in derived
    return name in names or (target in names and name not in derived)


def _task(name: str, column: Column, target: str) -> LabelTask:
    return LabelTask(
        name,
        CATEGORICAL if column.is_votes else column.kind,
        column.classes,
        column.dimensions,
        column.low,
        column.high,
        column=column.name,
        target=target,
    )


def target_of(column: Column, clean: Mapping[str, Column]) -> str:
    """The truth that a label column is an account of, whether or not it is known."""
    if column.target or column.name in clean:
        return column.target or column.name
    if column.name.startswith((ANNOTATOR, KEPT)) or column.name == MAJORITY:
        return shards.truth_of(column, clean) or column.name
    return column.name


def has_aligned_faces(dataset: Dataset) -> bool:
    """Whether its pictures are faces put upright by their eyes."""
    settings = dataset.notes.get("settings", {})
    return settings.get("alignment") in ("eyes", "authors_2021")


def experiment_of(
    dataset: Dataset, names: Sequence[str] = (), **settings: Any
) -> ExperimentConfig:
    """The config that follows from what a data set declares.

    Args:
      dataset: prepared.
      names: see tasks_of.
      **settings: see kfer.settings.own_data.experiment.

    Raises:
      UserError: see tasks_of and kfer.settings.own_data.experiment.
    """
    return own_data.experiment(
        tasks_of(dataset, names),
        dataset.name,
        dataset.image_size,
        dataset.split("train").num_records,
        has_aligned_faces(dataset),
        **settings,
    )


def describe(task: LabelTask) -> str:
    """'annotator_a of mood: bored, engaged'; with the range of values."""
    of = "" if task.name == task.target else f" of {task.target}"
    names = ", ".join(task.outputs)
    ends = "" if task.is_categorical else f" in [{task.low:g}, {task.high:g}]"
    return f"{task.name}{of}: {names}{ends}"

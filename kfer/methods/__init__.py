"""METHODS: each row of the tables, name -> how its model is made."""

import dataclasses
import importlib
from typing import Any

from kfer.config import ExperimentConfig
from kfer.errors import UserError


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One row: where its class is and how it differs from its siblings.

    Attributes:
      module: the file that holds the class.
      class_name: a kfer.methods.base.Method.
      options: arguments of the class besides the config.
      column: label column that every class task learns instead of its own; '' for its
        own. One head is kept for each target then.
      about: what the row stands for.
    """

    module: str
    class_name: str
    about: str
    options: tuple[tuple[str, Any], ...] = ()
    column: str = ""


def _joint(about: str, **options: Any) -> MethodRow:
    return MethodRow(
        "kfer.methods.joint_distribution",
        "JointDistribution",
        about,
        tuple(options.items()),
    )


def _supervised(about: str, column: str = "") -> MethodRow:
    return MethodRow("kfer.methods.supervised", "Supervised", about, column=column)


METHODS = {
    "joint": _joint("the proposed method"),
    "without_joint": _joint("marginal scores alone", use_joint=False),
    "without_marginal": _joint("the joint score alone", use_marginals=False),
    "without_gx": _joint("no decoder", use_decoder=False),
    "vgg_all": _supervised("VGGNet on all noisy label sets"),
    "vgg_majority": _supervised("VGGNet on the majority vote", column="majority"),
    "vgg_clean": _supervised("VGGNet on clean labels", column="clean/"),
}


def method_row(name: str) -> MethodRow:
    """The row of that name; raises UserError if there is none."""
    if name not in METHODS:
        raise UserError(f"Unknown method {name!r}; known: {', '.join(sorted(METHODS))}")
    return METHODS[name]


def resolve_tasks(config: ExperimentConfig) -> ExperimentConfig:
    """The config with the tasks as its method sees them (majority vote, clean)."""
    column = method_row(config.method).column
    if not column:
        return config
    tasks = {}
    for task in config.tasks:
        if column == "majority" and not task.is_categorical:
            tasks[task.target] = task
        elif task.target not in tasks:
            read = f"clean/{task.target}" if column == "clean/" else column
            tasks[task.target] = dataclasses.replace(
                task, name=task.target, column=read
            )
    return dataclasses.replace(config, tasks=tuple(tasks.values()))


def build(config: ExperimentConfig) -> Any:
    """The method's model for a config (after resolve_tasks)."""
    row = method_row(config.method)
    cls = getattr(importlib.import_module(row.module), row.class_name)
    return cls(config, **dict(row.options))

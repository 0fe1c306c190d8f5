"""METHODS: each row of the tables, name -> how its model is made."""

import dataclasses
import importlib
from typing import Any

from kfer.errors import UserError
from kfer.settings import axes, effects
from kfer.settings.config import ExperimentConfig
from kfer.settings.optimization import PLAIN
from kfer.settings.options import as_tuple
from kfer.tasks import CATEGORICAL, CONTINUOUS, share_heads


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One row: where its class is and how it differs from its siblings.

    Attributes:
      module: the file that holds the class.
      class_name: a kfer.methods.base.Method.
      options: arguments of the class besides the config.
      column: label column that every class task learns instead of its own; '' for its
        own. One head is kept for each target then.
      kind: of the label sets it treats in its own way; '' for all. It is refused where
        there is none, as it would be vgg_all under another name.
      about: what the row stands for.
      parts: the rows that it is made of, see kfer.methods.composed; () for itself.
    """

    module: str
    class_name: str
    about: str
    options: tuple[tuple[str, Any], ...] = ()
    column: str = ""
    kind: str = ""
    parts: tuple[str, ...] = ()


def _joint(about: str, **options: Any) -> MethodRow:
    return MethodRow(
        "kfer.methods.joint_distribution",
        "JointDistribution",
        about,
        tuple(options.items()),
    )


def _supervised(about: str, column: str = "") -> MethodRow:
    return MethodRow("kfer.methods.supervised", "Supervised", about, column=column)


def _of_classes(name: str, class_name: str, about: str) -> MethodRow:
    return MethodRow(f"kfer.methods.{name}", class_name, about, kind=CATEGORICAL)


def _joint_em(about: str, **options: Any) -> MethodRow:
    return dataclasses.replace(
        _of_classes("joint_em", "JointEM", about), options=tuple(options.items())
    )


def _of_values(name: str, class_name: str, about: str) -> MethodRow:
    return MethodRow(f"kfer.methods.{name}", class_name, about, kind=CONTINUOUS)


METHODS = {
    "joint": _joint("the proposed method"),
    "without_joint": _joint("marginal scores alone", use_joint=False),
    "without_marginal": _joint("the joint score alone", use_marginals=False),
    "without_gx": _joint("no decoder", use_decoder=False),
    "joint_alone": _joint(
        "the joint score alone, no decoder", use_marginals=False, use_decoder=False
    ),
    "vgg_all": _supervised("VGGNet on all noisy label sets"),
    "vgg_majority": _supervised("VGGNet on the majority vote", column="majority"),
    "vgg_clean": _supervised("VGGNet on clean labels", column="clean/"),
    "sce": _of_classes("sce", "SymmetricCrossEntropy", "symmetric cross entropy"),
    "gce": _of_classes("gce", "GeneralisedCrossEntropy", "generalised cross entropy"),
    "label_smoothing": _of_classes(
        "label_smoothing", "LabelSmoothing", "smoothed labels"
    ),
    "forward_correction": _of_classes(
        "forward_correction", "ForwardCorrection", "known transition matrices"
    ),
    "elr": _of_classes("elr", "EarlyLearning", "early-learning regularisation"),
    "crowd_layer": _of_classes(
        "crowd_layer", "CrowdLayer", "a matrix layer for each annotator"
    ),
    "ltnet": _of_classes(
        "ltnet", "LatentTruth", "a transition matrix for each annotator"
    ),
    "geo_crowd": _of_classes(
        "geo_crowd", "GeoCrowdNet", "ltnet with a volume term (GeoCrowdNet)"
    ),
    "annot_mix": _of_classes(
        "annot_mix", "AnnotMix", "mixup of pictures, annotators and labels"
    ),
    "dawid_skene": _of_classes(
        "em", "DawidSkene", "Dawid and Skene's posteriors as soft labels"
    ),
    "kfer": MethodRow(
        "kfer.methods.em",
        "ExpectationMaximisation",
        "the default: em, for labels of any kind",
    ),
    "em": _of_classes(
        "em", "ExpectationMaximisation", "annotators and network fitted as one EM"
    ),
    "joint_em": _joint_em("EM's targets and the proposed method's game"),
    "joint_em_without_gx": _joint_em(
        "EM's targets and the joint score alone, no decoder",
        use_marginals=False,
        use_decoder=False,
    ),
    "co_teaching": _of_classes(
        "co_teaching", "CoTeaching", "two networks that choose for each other"
    ),
    "air": _of_classes("air", "AuxiliaryImages", "auxiliary image regulariser"),
    "huber": _of_values("huber", "Huber", "robust regression of values"),
    "va_annotators": _of_values(
        "va_annotators", "ValueAnnotators", "bias and scale of each annotator's values"
    ),
}


def method_row(name: str) -> MethodRow:
    """The row of that name, or of its parts (kfer.settings.axes).

    Raises:
      UserError: there is none.
    """
    parts = axes.rows_of(name)
    if len(parts) > 1:
        about = " with ".join(METHODS[part].about for part in parts)
        first = METHODS[parts[0]]
        return dataclasses.replace(first, about=about, kind=CATEGORICAL, parts=parts)
    if name not in METHODS:
        raise UserError(f"Unknown method {name!r}; known: {', '.join(sorted(METHODS))}")
    return METHODS[name]


def resolve_tasks(config: ExperimentConfig) -> ExperimentConfig:
    """The config as its method sees it: tasks (majority vote, clean) and optimizers.

    Without a decoder there is no decoder_rate and without networks of matrices no
    confusion_rate, so that what other methods' configs say stays what it was before
    there were such rates.

    Raises:
      UserError: the method treats a kind of label that no task has, or a column of one
        target and there are several.
    """
    row = method_row(config.method)
    if row.kind and all(task.kind != row.kind for task in config.tasks):
        names = ", ".join(task.name for task in config.tasks)
        raise UserError(
            f"Method {config.method!r} is about {row.kind} labels, and none of the "
            f"tasks ({names}) has them; use vgg_all"
        )
    unread = effects.unread_rates(config.method)
    plain = {name: getattr(PLAIN, name) for name in unread}
    learned = dataclasses.replace(config.optimization, **plain)
    if learned != config.optimization:
        config = dataclasses.replace(config, optimization=learned)
    if not row.column:
        return config
    tasks = share_heads(config.tasks, CATEGORICAL)
    if row.column == "clean/":
        tasks = share_heads(tasks, CONTINUOUS)
        columns = {task.name: f"clean/{task.target}" for task in tasks}
    else:
        columns = {task.name: row.column for task in tasks if task.is_categorical}
        if len(columns) > 1:
            raise UserError(
                f"Method {config.method!r} learns column {row.column!r}, which is of "
                f"one target, and there are {', '.join(columns)}; use dawid_skene or em"
            )
    tasks = tuple(
        dataclasses.replace(task, column=columns.get(task.name, task.column))
        for task in tasks
    )
    return dataclasses.replace(config, tasks=tasks)


def fit_to_data(config: ExperimentConfig, dataset: Any) -> ExperimentConfig:
    """The config with what its method must know of the training split.

    Args:
      config: of the run.
      dataset: a kfer.data.dataset.Dataset. Its number of examples becomes an option
        num_examples that is 0; the noise it has recorded becomes transition or
        noise_rates, where a method reads them and neither is set.

    Raises:
      UserError: num_examples is set to another number, or what a method must know of
        the noise can't be told from the data.
    """
    options, found = config.options, {}
    if hasattr(options, "num_examples"):
        count = dataset.split("train").num_records
        if options.num_examples not in (0, count):
            raise UserError(
                f"num_examples is {options.num_examples}, but the training split has "
                f"{count}; leave it out"
            )
        found["num_examples"] = count
    if hasattr(options, "num_annotators") and not options.num_annotators:
        found["num_annotators"] = _num_annotators(config, dataset)
    if getattr(options, "em_values", "") == "gaussian":
        found["num_value_annotators"] = _num_value_annotators(config, dataset)
    if hasattr(options, "noise_rates") and not (
        options.transition or options.noise_rates
    ):
        found |= _recorded_noise(config, dataset)
    if not found:
        return config
    return dataclasses.replace(config, options=dataclasses.replace(options, **found))


def _num_annotators(config: ExperimentConfig, dataset: Any) -> tuple[int, ...]:
    """Of each class label set: those of a crowd column, 0 of votes, else 1.

    Raises:
      UserError: there are votes alone, and the method is about annotators.
    """
    columns = {
        task.name: dataset.columns.get(task.column)
        for task in config.tasks
        if task.is_categorical
    }
    found = tuple(
        0 if column and column.is_votes else _people_of(column)
        for column in columns.values()
    )
    if found and not any(found) and method_row(config.method).kind == CATEGORICAL:
        raise UserError(
            f"Method {config.method!r} models annotators, and the votes in "
            f"{', '.join(columns)} are nobody's in particular; learn them with vgg_all"
        )
    return found


def _people_of(column: Any) -> int:
    return len(column.annotators) or 1 if column else 1


def _num_value_annotators(config: ExperimentConfig, dataset: Any) -> tuple[int, ...]:
    """Of each value label set; () where no target has two annotators."""
    tasks = [task for task in config.tasks if not task.is_categorical]
    found = tuple(_people_of(dataset.columns.get(task.column)) for task in tasks)
    by_target: dict[str, int] = {}
    for task, number in zip(tasks, found, strict=True):
        by_target[task.target] = by_target.get(task.target, 0) + number
    return found if max(by_target.values(), default=0) > 1 else ()


def _recorded_noise(config: ExperimentConfig, dataset: Any) -> dict[str, tuple]:
    """The recorded confusions, or else wrong shares, of the class label sets.

    Raises:
      UserError: a label set is a crowd's, whose majority is learned.
    """
    noise = dataset.noise.get("train", {})
    for task in config.tasks:
        # What was recorded counts each person's labels, which err more often.
        if task.is_categorical and _people_of(dataset.columns.get(task.column)) > 1:
            raise UserError(
                f"Method {config.method!r} learns the majority of {task.column!r}, "
                "whose noise isn't known; set noise_rates or transition, or use em"
            )
    rows = [noise.get(task.column, {}) for task in config.tasks if task.is_categorical]
    confusions = [row.get("confusion") or ((0.0,),) for row in rows]
    # A class that never occurs has a row of zeros: what it is taken for is unknown.
    if all(abs(sum(part) - 1.0) < 1e-6 for matrix in confusions for part in matrix):
        return {"transition": as_tuple(confusions)}
    rates = tuple(row.get("achieved") for row in rows)
    return {} if None in rates else {"noise_rates": rates}


def build(config: ExperimentConfig) -> Any:
    """The method's model for a config (after resolve_tasks)."""
    row = method_row(config.method)
    if row.parts:
        cls = importlib.import_module("kfer.methods.composed").of(row.parts)
    else:
        cls = class_of(row)
    return cls(config, **dict(row.options))


def class_of(row: MethodRow) -> Any:
    """The class of one row, whose module is imported here."""
    return getattr(importlib.import_module(row.module), row.class_name)

"""The named pipelines, in frozen dataclasses; no folder and no cluster in here."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from kfer import methods
from kfer.data import record
from kfer.data.datasets import ReaderOptions
from kfer.data.label_noise import LabelNoise
from kfer.data.record import Column
from kfer.errors import UserError
from kfer.evaluation import judgement
from kfer.preprocess.ingest import Source
from kfer.settings import config as config_lib
from kfer.settings.config import ExperimentConfig

NO_NOISE = LabelNoise()
# The pipeline of one's own data, see pipelines.own_data.
OWN_DATA = "own_data"


@dataclasses.dataclass(frozen=True)
class Teacher:
    """Who makes machine labels.

    Attributes:
      source: what the teacher learns from.
      experiment: how it learns.
      columns: the label columns it replaces.
      steps: of its training; 0 means the experiment's epochs.
    """

    source: Source
    experiment: ExperimentConfig
    columns: tuple[str, ...]
    steps: int = 0


IMAGENET = "imagenet"
STRATEGIES = ("mirrored", "default", "tpu")


@dataclasses.dataclass(frozen=True)
class Running:
    """How every trainer of a pipeline runs, see kfer.training.loop.RunSettings.

    Attributes:
      strategy: one of STRATEGIES. Several hosts train with kfer-train alone: a TFX
        component is one process.
      mixed_precision, jit_compile, eval_every: as in RunSettings.
      encoder_weights: 'imagenet', a file that the trainers can read, or ''.
      weights_digest: SHA-256 of that file, so that another file trains anew.
    """

    strategy: str = "mirrored"
    mixed_precision: str = "float32"
    jit_compile: bool = False
    encoder_weights: str = ""
    weights_digest: str = ""
    eval_every: int = 0

    def __post_init__(self):
        if self.strategy not in STRATEGIES:
            raise UserError(
                f"A pipeline's strategy is one of {', '.join(STRATEGIES)}, not "
                f"{self.strategy!r}; several hosts train with kfer-train"
            )


@dataclasses.dataclass(frozen=True)
class Declared:
    """An experiment that follows from the data, once they are made.

    Attributes:
      names: label columns to learn, or their truths; () for all.
      settings: of the experiment, see kfer.data.own_data.experiment_of.
      columns, clean_columns: that the data declare.
    """

    names: tuple[str, ...]
    settings: Mapping[str, Any]
    columns: Mapping[str, Column]
    clean_columns: Mapping[str, Column]

    @property
    def method(self) -> str:
        """The method that learns."""
        return self.settings["method"]


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """One pipeline.

    Attributes:
      name: a key of PIPELINES, or OWN_DATA.
      source: the data that is learned from and scored on.
      experiment: of the model that is judged and pushed.
      rival: a method trained on the same data and shown beside it; '' for none.
      noise: put on the training labels.
      teacher: who relabels the data, if anybody.
      steps: of training; 0 means the experiment's epochs.
      minimum: 'target/measure' -> least value for a blessing, as pairs.
      largest_drop: see kfer.evaluation.judgement.objections.
      running: how its trainers run.
    """

    name: str
    source: Source
    experiment: ExperimentConfig | Declared
    rival: str = ""
    noise: LabelNoise = NO_NOISE
    teacher: Teacher | None = None
    steps: int = 0
    minimum: tuple[tuple[str, float], ...] = ()
    largest_drop: float = 0.01
    running: Running = Running()

    def columns(self) -> tuple[dict[str, Column], dict[str, Column]]:
        """The label columns and clean columns that are learned from, as they end up."""
        if isinstance(self.experiment, Declared):
            return dict(self.experiment.columns), dict(self.experiment.clean_columns)
        columns, clean = self.source.columns()
        columns = self.noise.columns(columns, clean)
        if self.teacher and "valence_arousal" in self.teacher.columns:
            columns.setdefault("valence_arousal", record.valence_arousal())
        return columns, clean


@dataclasses.dataclass(frozen=True)
class _Row:
    """A named pipeline before its settings; teachers learn their data's own labels."""

    experiment: str
    minimum: tuple[tuple[str, float], ...]
    rival: str = ""
    num_classes: int = 7
    noise: LabelNoise = NO_NOISE
    teacher: str = ""
    teacher_columns: tuple[str, ...] = ()
    crowd: str = "habits"


# The thresholds keep out what has learned nothing; chance is 1 / classes.
PIPELINES = {
    "synthetic_faces": _Row(
        "synthetic_faces", (("expression/accuracy", 0.3),), rival="vgg_all"
    ),
    "synthetic_judges": _Row(
        "synthetic_judges",
        (("expression/accuracy", 0.3),),
        rival="vgg_all",
        crowd="judges",
    ),
    "cifar10_noisy": _Row(
        "cifar10_multi",
        (("class/accuracy", 0.3),),
        noise=LabelNoise("exclusive", (0.2, 0.3, 0.4), column="class"),
    ),
    "raf_base": _Row(
        "raf_multi",
        (("expression/accuracy", 0.4),),
        teacher="affectnet_multi",
        teacher_columns=("expression", "valence_arousal"),
    ),
    "affectnet_base": _Row(
        "affectnet_multi",
        (("expression/accuracy", 0.3),),
        teacher="raf_single",
        teacher_columns=("expression",),
    ),
    "ferplus": _Row("ferplus_multi", (("expression/accuracy", 0.4),), num_classes=8),
}

_TEACHER_METHOD = "vgg_all"


def named(
    name: str,
    settings: Mapping[str, Any] | None = None,
    teacher_settings: Mapping[str, Any] | None = None,
    limit: Mapping[str, int] | None = None,
    minimum: Mapping[str, float] | None = None,
    steps: int = 0,
    teacher_steps: int = 0,
) -> PipelineConfig:
    """A pipeline of PIPELINES with these settings.

    Args:
      name: of the pipeline.
      settings: of its experiment, see kfer.settings.config.experiment_config.
      teacher_settings: of the teacher's experiment.
      limit: split -> the first so many examples, where the data set can be cut.
      minimum: thresholds in place of the pipeline's own.
      steps, teacher_steps: of training; 0 means the experiments' epochs.

    Raises:
      UserError: an unknown name or setting, or a teacher's where there is none.
    """
    if name not in PIPELINES:
        known = ", ".join((*PIPELINES, OWN_DATA))
        raise UserError(f"Unknown pipeline {name!r}; known: {known}")
    row = PIPELINES[name]
    if not row.teacher and (teacher_settings or teacher_steps):
        raise UserError(f"The pipeline {name} has no teacher to set anything of")
    experiment = _experiment(row.experiment, settings or {})
    judgement.check(minimum or {}, experiment.tasks)
    thresholds = row.minimum if minimum is None else tuple(sorted(minimum.items()))
    return PipelineConfig(
        name=name,
        source=_source(experiment, row, limit),
        experiment=experiment,
        rival=row.rival,
        noise=dataclasses.replace(row.noise, seed=experiment.seed),
        teacher=_teacher(row, dict(teacher_settings or {}), teacher_steps),
        steps=steps,
        minimum=thresholds,
    )


def _experiment(name: str, settings: Mapping[str, Any]) -> ExperimentConfig:
    fields = {"recipe": "kfer", **settings}
    config = config_lib.experiment_config(name, **fields)
    methods.method_row(config.method)
    return config


def _source(
    experiment: ExperimentConfig, row: _Row, limit: Mapping[str, int] | None
) -> Source:
    # Where label sets are simulated by the noiser, the reader makes none.
    rates = () if row.noise.is_active else experiment.flip_rates
    options = ReaderOptions(
        seed=experiment.seed,
        flip_rates=rates,
        flip=experiment.recipe.flip,
        limit=dict(limit) if limit else None,
        num_classes=row.num_classes,
        image_size=experiment.image_size,
        crowd=row.crowd,
    )
    return Source(experiment.dataset, options)


def _teacher(row: _Row, settings: dict[str, Any], steps: int) -> Teacher | None:
    if not row.teacher:
        return None
    experiment = _experiment(row.teacher, {"method": _TEACHER_METHOD, **settings})
    source = _source(experiment, row, None)
    return Teacher(source, experiment, row.teacher_columns, steps)


def teacher_columns(config: PipelineConfig) -> tuple[dict, dict]:
    """The label columns and clean columns that the teacher learns from."""
    if config.teacher is None:
        raise UserError(f"The pipeline {config.name} has no teacher")
    return config.teacher.source.columns()

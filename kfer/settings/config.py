"""Every setting of a run, in frozen dataclasses: the one owner of defaults.

An experiment (what is learned from which data) x a recipe (how the paper, the 2021 code
or kfer does it) x a method (a row of the tables) make one ExperimentConfig.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from typing import Any

from kfer import tasks as tasks_lib
from kfer.errors import UserError
from kfer.settings import backbones, effects, finite
from kfer.settings import optimization as optimization_lib
from kfer.settings import options as options_lib
from kfer.settings.method_options import NO_OPTIONS, MethodOptions
from kfer.settings.optimization import PLAIN, Optimization, Preset
from kfer.settings.recipes import ALL_SCORES, KFER, Recipe, ScoreWeights, recipe_for
from kfer.tasks import LabelTask

IMAGE_SIZES = (32, 48, 64, 96, 128, 256)

# What layers may multiply in (RunSettings.mixed_precision).
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclasses.dataclass(frozen=True)
class ExperimentConfig:
    """One run.

    Attributes:
      name: the experiment, a key of EXPERIMENTS, or 'own_data'.
      dataset: the reader that makes its data, a key of kfer.data.datasets.DATASETS.
      tasks: the label sets learned.
      recipe: see Recipe.
      method: the row of the tables, a key of kfer.methods.METHODS.
      image_size: side of the square images in pixels, one of IMAGE_SIZES.
      backbone: the encoder's trunk: 'vgg16' as in the paper, 'compact', 'compact_s',
        'compact_xs', or a network of keras.applications (kfer.models.backbones).
      width: factor of every channel count; 1.0 is the paper's networks.
      noise_size: length Z of y0.
      embedding_size: width E of vgg16's two hidden layers, before `width`.
      dropout_rate: of vgg16's hidden layers; other backbones have none.
      lambda_gan: weight of the adversarial terms in the generator loss.
      score_weights: see ScoreWeights.
      augmentation: 'crop_flip', 'face' or 'none'.
      batch_size: global batch.
      learning_rate: of every optimizer, see Optimization.
      beta_1, beta_2, epsilon: of every Adam.
      epochs: length of the run in passes over the training split.
      flip_rates: rates of the simulated label sets where the data set makes them.
      seed: of weights, order, augmentation and noise.
      options: of the method, see kfer.settings.options; its defaults if left out.
      optimization: see Optimization.
    """

    name: str
    dataset: str
    tasks: tuple[LabelTask, ...]
    recipe: Recipe = KFER
    method: str = "joint"
    image_size: int = 32
    backbone: str = "vgg16"
    width: float = 1.0
    noise_size: int = 100
    embedding_size: int = 512
    dropout_rate: float = 0.5
    lambda_gan: float = 1.0
    score_weights: ScoreWeights = ALL_SCORES
    augmentation: str = "crop_flip"
    batch_size: int = 128
    learning_rate: float = 1e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    epochs: int = 100
    flip_rates: tuple[float, ...] = ()
    seed: int = 0
    options: MethodOptions = NO_OPTIONS
    optimization: Optimization = PLAIN

    def __post_init__(self):
        tasks_lib.check_tasks(self.tasks)
        checked = options_lib.check(self.method, self.options)
        object.__setattr__(self, "options", checked)
        finite.check(self)
        if self.image_size not in IMAGE_SIZES:
            raise UserError(f"image_size {self.image_size} is none of {IMAGE_SIZES}")
        if self.augmentation not in ("crop_flip", "face", "none"):
            raise UserError(
                f"augmentation {self.augmentation!r} is none of crop_flip, face, none"
            )
        for field in ("width", "batch_size", "learning_rate", "epochs", "noise_size"):
            if getattr(self, field) <= 0:
                raise UserError(f"{field} must be above 0, got {getattr(self, field)}")
        if not 0.0 <= self.dropout_rate < 1.0:
            raise UserError(f"dropout_rate must be in [0, 1), got {self.dropout_rate}")

    def channels(self, count: int) -> int:
        """`count` channels of the paper's nets at this width; at least 8, in eights."""
        return count if self.width == 1.0 else max(8, round(count * self.width / 8) * 8)

    @property
    def stream_tasks(self) -> tuple[LabelTask, ...]:
        """The tasks whose labels enter the decoder and the discriminator."""
        return tuple(task for task in self.tasks if task.stream)


def _variant(base: ExperimentConfig, name: str, **fields: Any) -> ExperimentConfig:
    return dataclasses.replace(base, name=name, **fields)


_CIFAR10 = ExperimentConfig(
    name="cifar10_multi",
    dataset="cifar10",
    tasks=tasks_lib.annotator_tasks(3, tasks_lib.CIFAR10_CLASSES, "class"),
    lambda_gan=0.8,
    flip_rates=(0.2, 0.3, 0.4),
)

_FACES = ExperimentConfig(
    name="raf_multi",
    dataset="raf",
    tasks=(tasks_lib.expression_task(), tasks_lib.valence_arousal_task()),
    image_size=64,
    embedding_size=500,
    augmentation="face",
    lambda_gan=1.0,
)

_AFFECTNET = _variant(_FACES, "affectnet_multi", dataset="affectnet", lambda_gan=0.4)

_FACE_ANNOTATORS = (
    *tasks_lib.annotator_tasks(3, tasks_lib.EXPRESSIONS[:7], "expression"),
    tasks_lib.valence_arousal_task(),
)
_FACE_JUDGES = (*_FACE_ANNOTATORS[:-1], *tasks_lib.value_tasks(3))

# With contempt, as in ferplus_multi, so that one prepared data set serves both.
_FERPLUS = tasks_lib.annotator_tasks(3, tasks_lib.EXPRESSIONS, "expression")
_FERPLUS_VOTES = (tasks_lib.expression_task(8, column="votes"),)
_FERPLUS_VA = (*_FERPLUS, tasks_lib.valence_arousal_task())
_DRAWN = _variant(
    _FACES,
    "synthetic_faces",
    dataset="synthetic_faces",
    tasks=_FACE_ANNOTATORS,
    image_size=32,
    width=0.25,
    lambda_gan=0.4,
    batch_size=32,
    learning_rate=5e-4,
    epochs=20,
    dropout_rate=0.0,
)

EXPERIMENTS = {
    config.name: config
    for config in (
        _CIFAR10,
        _variant(
            _CIFAR10, "cifar10_single", tasks=_CIFAR10.tasks[:1], flip_rates=(0.2,)
        ),
        _variant(_CIFAR10, "cifar10n_multi", dataset="cifar10n", flip_rates=()),
        _FACES,
        _variant(_FACES, "raf_single", tasks=_FACES.tasks[:1]),
        _AFFECTNET,
        _variant(_AFFECTNET, "affectnet_single_expression", tasks=_FACES.tasks[:1]),
        _variant(_AFFECTNET, "affectnet_single_va", tasks=_FACES.tasks[1:]),
        _variant(_FACES, "ferplus_multi", dataset="ferplus", tasks=_FERPLUS),
        _variant(_FACES, "ferplus_votes", dataset="ferplus", tasks=_FERPLUS_VOTES),
        _variant(_FACES, "ferplus_va", dataset="ferplus", tasks=_FERPLUS_VA),
        _DRAWN,
        _variant(_DRAWN, "synthetic_judges", tasks=_FACE_JUDGES),
    )
}


def experiment_config(
    name: str, recipe: str = "kfer", method: str = "joint", **overrides: Any
) -> ExperimentConfig:
    """The config of one cell of the tables.

    Args:
      name: a key of EXPERIMENTS.
      recipe: a key of RECIPES.
      method: a key of kfer.methods.METHODS (checked there).
      **overrides: fields of ExperimentConfig, of Recipe, of Optimization or of the
        method's options that replace their defaults; `optimization` is the name of
        a preset of Optimization.

    Raises:
      UserError: an unknown name, field or choice.
    """
    if name not in EXPERIMENTS:
        known = ", ".join(sorted(EXPERIMENTS))
        raise UserError(f"Unknown experiment {name!r}; known: {known}")
    return configured(EXPERIMENTS[name], recipe, method, **overrides)


def configured(
    base: ExperimentConfig,
    recipe: str = "kfer",
    method: str = "joint",
    **overrides: Any,
) -> ExperimentConfig:
    """experiment_config of an experiment that need not be in EXPERIMENTS."""
    chosen = recipe_for(recipe, base.dataset)
    bundle = Preset(base.optimization, {})
    if "optimization" in overrides:
        bundle = optimization_lib.preset(overrides.pop("optimization"))
    learned = bundle.optimization
    recipe_names = {field.name for field in dataclasses.fields(Recipe)} - {"name"}
    config_names = {field.name for field in dataclasses.fields(base)} - {"options"}
    own = recipe_names | config_names | (learning := {*optimization_lib.NAMES})
    options_lib.check_names(method, overrides, own)

    def of(names: Iterable[str], owner: Any) -> dict[str, Any]:
        fields = {k: v for k, v in overrides.items() if k in names}
        for field, value in fields.items():
            options_lib.check_type(field, value, getattr(owner, field))
        return fields

    backbones.check(overrides.get("backbone", base.backbone), overrides)
    if "flip_rates" in overrides:
        overrides["flip_rates"] = options_lib.as_tuple(overrides["flip_rates"])
    given = {k: v for k, v in overrides.items() if k in options_lib.all_names()}
    config = dataclasses.replace(
        base,
        method=method,
        recipe=dataclasses.replace(chosen, **of(recipe_names, chosen)),
        optimization=dataclasses.replace(learned, **of(learning, learned)),
        options=options_lib.make(method, given),
        **{**bundle.config, **of(config_names, base)},
    )
    effects.warn(config, overrides)
    return config


def with_method(config: ExperimentConfig, method: str) -> ExperimentConfig:
    """The config with another method, whose options are its defaults."""
    return dataclasses.replace(config, method=method, options=options_lib.make(method))


def to_dict(config: ExperimentConfig) -> dict[str, Any]:
    """The config as plain values that survive JSON."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def from_dict(fields: dict[str, Any]) -> ExperimentConfig:
    """Inverse of to_dict.

    Raises:
      UserError: a field is missing or unknown, as in a config of another version.
    """
    try:
        # Saved before methods had options: they had none.
        options = options_lib.make(fields["method"], fields.get("options", {}))
        return ExperimentConfig(
            **{
                **fields,
                "tasks": tuple(LabelTask(**row) for row in fields["tasks"]),
                "recipe": Recipe(**fields["recipe"]),
                "score_weights": ScoreWeights(**fields["score_weights"]),
                "flip_rates": tuple(fields["flip_rates"]),
                "options": options,
                "optimization": Optimization(**fields.get("optimization", {})),
            }
        )
    except (KeyError, TypeError) as error:
        raise UserError(
            f"This saved config does not fit this version of kfer ({error}); "
            "train again or install the version named in its versions.json"
        ) from error


def config_hash(config: ExperimentConfig) -> str:
    """Sixteen hex digits that change with any setting."""
    fields = to_dict(config)
    fields["recipe"] = Recipe.without_later(fields["recipe"])
    fields["options"] = options_lib.hashed(config.options)
    fields["optimization"] = Optimization.without_later(fields["optimization"])
    for field, old in (("optimization", PLAIN), ("backbone", "vgg16")):
        if getattr(config, field) == old:
            del fields[field]  # as before there was a choice
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def differences(first: ExperimentConfig, second: ExperimentConfig) -> list[str]:
    """'field: a -> b' for each setting in which two configs differ."""
    one, two = to_dict(first), to_dict(second)
    for fields in (one, two):
        fields |= {
            f"optimization.{n}": v for n, v in fields.pop("optimization").items()
        }
    return [f"{key}: {one[key]} -> {two[key]}" for key in one if one[key] != two[key]]

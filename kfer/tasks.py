"""Label tasks: one row each; heads, streams, features and outputs loop over them."""

import dataclasses
from collections.abc import Iterable

from kfer.errors import UserError

CATEGORICAL = "categorical"
CONTINUOUS = "continuous"

LOSSES = {
    CATEGORICAL: ("cross_entropy",),
    CONTINUOUS: ("ccc", "mse"),
}

# The order inside kfer is AffectNet's; every reader converts to it by name.
EXPRESSIONS = (
    "neutral",
    "happy",
    "sad",
    "surprise",
    "fear",
    "disgust",
    "anger",
    "contempt",
)

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

VALENCE_AROUSAL = ("valence", "arousal")

# The discriminator's streams beside those of the labels: picture, y0, all together.
IMAGE = "x"
Y0 = "y0"
JOINT = "joint"


@dataclasses.dataclass(frozen=True)
class LabelTask:
    """One label set to learn.

    Attributes:
      name: unique; names the encoder head, the label stream and the serving output.
      kind: CATEGORICAL or CONTINUOUS.
      classes: class names in label order (categorical).
      dimensions: names of the values (continuous).
      low: smallest value of a continuous label.
      high: largest value of a continuous label.
      loss: 'cross_entropy' (categorical); 'ccc' or 'mse' (continuous).
      weight: factor of the task's loss in the generator loss (gamma of Eq. 10).
      stream: whether the label enters the decoder and has a discriminator stream.
      column: the label column of the records; the task's name if empty.
      target: the clean column that predictions are scored against; the task's name if
        empty. Tasks with one target are label sets of one truth.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    low: float = -1.0
    high: float = 1.0
    loss: str = ""
    weight: float = 1.0
    stream: bool = True
    column: str = ""
    target: str = ""

    def __post_init__(self):
        if self.kind not in LOSSES:
            raise UserError(
                f"Task {self.name!r} has kind {self.kind!r}; known: {sorted(LOSSES)}"
            )
        for field in ("classes", "dimensions"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        defaults = {
            "loss": LOSSES[self.kind][0],
            "column": self.name,
            "target": self.name,
        }
        for field, value in defaults.items():
            object.__setattr__(self, field, getattr(self, field) or value)
        if self.loss not in LOSSES[self.kind]:
            raise UserError(
                f"Task {self.name!r} ({self.kind}) has loss {self.loss!r}; "
                f"known: {LOSSES[self.kind]}"
            )
        if self.size < 1 or (self.is_categorical and self.size < 2):
            raise UserError(f"Task {self.name!r} ({self.kind}) names too few outputs")

    @property
    def is_categorical(self) -> bool:
        return self.kind == CATEGORICAL

    @property
    def outputs(self) -> tuple[str, ...]:
        """Class names or dimension names, one per output unit."""
        return self.classes if self.is_categorical else self.dimensions

    @property
    def size(self) -> int:
        """Number of output units."""
        return len(self.outputs)


def expression_task(num_classes: int = 7, **fields) -> LabelTask:
    """The categorical emotion, 7 classes or 8 with contempt."""
    if num_classes not in (7, 8):
        raise UserError(f"An expression task has 7 or 8 classes, not {num_classes}")
    return LabelTask("expression", CATEGORICAL, EXPRESSIONS[:num_classes], **fields)


def valence_arousal_task(**fields) -> LabelTask:
    """Valence (unpleasant to pleasant), arousal (calm to excited), each in [-1, 1]."""
    return LabelTask(
        "valence_arousal", CONTINUOUS, dimensions=VALENCE_AROUSAL, **fields
    )


def annotator_tasks(
    count: int, classes: tuple[str, ...], target: str, **fields
) -> tuple[LabelTask, ...]:
    """`count` inconsistent label sets annotator_1.. of the one truth `target`."""
    return tuple(
        LabelTask(f"annotator_{i}", CATEGORICAL, classes, target=target, **fields)
        for i in range(1, count + 1)
    )


def value_tasks(count: int) -> tuple[LabelTask, ...]:
    """valence_arousal_1.., what `count` annotators say of the one truth."""
    names = [f"valence_arousal_{i}" for i in range(1, count + 1)]
    return tuple(
        LabelTask(
            name, CONTINUOUS, dimensions=VALENCE_AROUSAL, target="valence_arousal"
        )
        for name in names
    )


def check_tasks(tasks: tuple[LabelTask, ...]) -> tuple[LabelTask, ...]:
    """Returns the tasks.

    Raises:
      UserError: there is none, two share a name or one has the name of a stream of the
        discriminator, where its label would never arrive.
    """
    names = [task.name for task in tasks]
    if not names or len(set(names)) != len(names):
        raise UserError(f"Tasks need unique names and at least one row, got {names}")
    if taken := {IMAGE, Y0, JOINT} & set(names):
        raise UserError(
            f"A task can't be named {', '.join(sorted(taken))}: the discriminator's "
            f"own streams are {IMAGE}, {Y0} and {JOINT}; choose another name"
        )
    return tuple(tasks)


def share_heads(tasks: tuple[LabelTask, ...], kind: str) -> tuple[LabelTask, ...]:
    """The tasks with the label sets of one truth made one, named after their target.

    Args:
      tasks: learned.
      kind: tasks of the other kind stay as they are.

    Raises:
      UserError: label sets of one target differ in classes, dimensions or range.
    """
    found: dict[str, LabelTask] = {}
    for task in tasks:
        name = task.target if task.kind == kind else task.name
        first = found.setdefault(name, dataclasses.replace(task, name=name))
        one, other = ((t.kind, t.outputs, t.low, t.high) for t in (task, first))
        if one != other:
            raise UserError(
                f"Task {task.name!r} can't share a head with the other label sets of "
                f"{name!r}: {one} is not {other}"
            )
    return check_tasks(tuple(found.values()))


def task_of_target(tasks: Iterable[LabelTask]) -> dict[str, LabelTask]:
    """target -> the first task that learns it: it says what an answer means."""
    found: dict[str, LabelTask] = {}
    for task in tasks:
        found.setdefault(task.target, task)
    return found

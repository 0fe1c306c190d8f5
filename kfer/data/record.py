"""What a stored example looks like: the one owner of the feature spec.

Feature            Type           Meaning
image_id           bytes          unique in its data set
image/encoded      bytes          PNG or JPEG, RGB
label/<column>     int64 | float  an annotation; no value where it is missing
clean/<column>     int64 | float  the truth; no value where it is unknown
source             bytes          file and line the annotation came from
crowd/<column>/..  two lists      'annotator' and 'label' of a crowd column instead:
                                  who, by number, and what each said; a vector of
                                  values after the other
box                float [4]      x, y, width, height in the source picture, or none
alignment          bytes          how the face was found and placed, or empty
"""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from kfer import tasks as tasks_lib
from kfer.data import crowd_labels
from kfer.errors import UserError

RECORD_VERSION = 1

# Of a column: votes for classes, beside the kinds of tasks.
VOTES = "votes"

IMAGE = "image/encoded"
LABEL = "label/"
CLEAN = "clean/"

# What answers are compared with: clean columns or label columns.
TRUTH, LABELS = "truth", "labels"


@dataclasses.dataclass(frozen=True)
class Column:
    """A declared label column: its name, kind and what its values mean.

    Attributes:
      name: the column.
      kind: tasks.CATEGORICAL or tasks.CONTINUOUS, or VOTES: of each class a count, or
        a share, of those who chose it. A task learns the shares as soft labels.
      classes: class names in label order (categorical, votes).
      dimensions: names of the values (continuous).
      low, high: range of a continuous value.
      target: the clean column that a label column is an account of; '' leaves it to
        kfer.data.shards.truth_of.
      annotators: names that make it a crowd column, each once: 5 to 5,000 people most
        of whom label few pictures. A record's value is then a tuple of (number in
        `annotators`, label) pairs, see kfer.data.crowd_labels; it is stored in any case
        in the order of annotators. Columns of one annotator each stay as they are.
      longest: labels of one picture at most; counted while records are written.
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    low: float = -1.0
    high: float = 1.0
    target: str = ""
    annotators: tuple[str, ...] = ()
    longest: int = 0

    def __post_init__(self):
        for field in ("classes", "dimensions", "annotators"):
            object.__setattr__(self, field, tuple(getattr(self, field)))
        if len(set(self.annotators)) != len(self.annotators):
            raise UserError(f"Two annotators of column {self.name!r} have one name")
        kinds = (tasks_lib.CATEGORICAL, tasks_lib.CONTINUOUS, VOTES)
        if self.kind not in kinds or (self.is_votes and self.annotators):
            whose = " of annotators" if self.annotators else ""
            raise UserError(
                f"Column {self.name!r} has the kind {self.kind!r}{whose}; known: "
                f"{', '.join(kinds)}, votes without annotators"
            )

    def as_dict(self) -> dict[str, Any]:
        """As dataset.json has it; without what was added later where it is empty."""
        fields = dataclasses.asdict(self)
        later = ("target", "annotators", "longest")
        return {k: v for k, v in fields.items() if v or k not in later}

    @property
    def is_categorical(self) -> bool:
        return self.kind == tasks_lib.CATEGORICAL

    @property
    def is_votes(self) -> bool:
        return self.kind == VOTES

    @property
    def size(self) -> int:
        return len(self.classes or self.dimensions)

    def problem(self, value: Any) -> str:
        """Why `value` can't stand in this column, or '' if it can."""
        if self.annotators:
            return crowd_labels.problem(
                self.name, value, len(self.annotators), self._problem
            )
        return self._problem(value)

    def _problem(self, value: Any) -> str:
        """Why a single label can't stand here."""
        if self.is_categorical:
            whole = isinstance(value, (int, np.integer))
            if not whole or not 0 <= value < self.size:
                return f"{self.name} {value} is not in 0..{self.size - 1}"
            return ""
        values = (value,) if np.isscalar(value) else tuple(value)
        if len(values) != self.size:
            return f"{self.name} has {len(values)} values, expected {self.size}"
        if not all(map(math.isfinite, values)):
            return f"{self.name} {values} is not finite"
        if self.is_votes:
            return "" if min(values) >= 0 else f"{self.name} {values} is below 0"
        if not all(self.low <= v <= self.high for v in values):
            return f"{self.name} {values} is outside [{self.low:g}, {self.high:g}]"
        return ""


def categorical(name: str, classes: tuple[str, ...], target: str = "") -> Column:
    """A column of class indices."""
    return Column(name, tasks_lib.CATEGORICAL, classes=classes, target=target)


def votes(name: str, classes: tuple[str, ...], target: str) -> Column:
    """A column of votes for classes."""
    return Column(name, VOTES, classes=classes, low=0.0, target=target)


def valence_arousal(name: str = "valence_arousal", target: str = "") -> Column:
    """A column of (valence, arousal) pairs in [-1, 1]."""
    dimensions = tasks_lib.VALENCE_AROUSAL
    return Column(name, tasks_lib.CONTINUOUS, dimensions=dimensions, target=target)


class Record(NamedTuple):
    """One stored example. Labels missing from the dicts are missing, not guessed."""

    image_id: str
    image: bytes  # PNG or JPEG, RGB
    labels: dict[str, Any]  # column -> int, tuple of floats, or a crowd's pairs
    clean: dict[str, Any]  # column -> int or tuple of floats
    source: str = ""  # file:line the annotation came from
    box: tuple[float, ...] = ()  # x, y, width, height in the source picture
    alignment: str = ""


class RawExample(NamedTuple):
    """What a reader gives for one annotated picture, before it is decoded."""

    image_id: str
    split: str  # 'train', 'valid' or 'test'
    image: Any  # path relative to the root, encoded bytes, or uint8 [H, W, 3] RGB
    labels: dict[str, Any]
    clean: dict[str, Any]
    source: str
    eyes: tuple[tuple[float, float], ...] = ()  # (x, y) of left and right eye in pixels
    box: tuple[float, ...] = ()  # x, y, width, height in pixels
    dropped: tuple[str, ...] = ()  # why single labels were left out; counted


class Rejected(NamedTuple):
    """What a reader or the job set aside instead."""

    image_id: str
    reason: str  # a short fixed phrase, counted
    detail: str  # what was found
    source: str  # file:line


def encode(record: Record) -> bytes:
    """The record as a serialized tf.train.Example, with keys in a fixed order."""
    import tensorflow as tf

    def feature(value: Any, categorical_value: bool) -> Any:
        if categorical_value:
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[int(value)]))
        return tf.train.Feature(float_list=tf.train.FloatList(value=value))

    def numbers(values: list[Any]) -> Any:
        if all(isinstance(value, int) for value in values):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        return feature(values, False)

    def text(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {
        "image_id": text(record.image_id.encode()),
        IMAGE: text(record.image),
        "source": text(record.source.encode()),
        "alignment": text(record.alignment.encode()),
        "box": feature(record.box, False),
    }
    for prefix, values in ((LABEL, record.labels), (CLEAN, record.clean)):
        for column, value in values.items():
            if crowd_labels.is_crowd(value):
                parts = crowd_labels.to_features(column, value)
                features |= {key: numbers(part) for key, part in parts.items()}
                continue
            features[prefix + column] = feature(
                value, isinstance(value, (int, np.integer))
            )
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def decode(serialized: bytes) -> Record:
    """Inverse of encode.

    Raises:
      UserError: the bytes are no record.
    """
    from google.protobuf import message

    try:
        return _decoded(serialized)
    except (message.DecodeError, IndexError, ValueError, TypeError) as error:
        raise UserError(
            f"A record can't be read ({type(error).__name__}: {error}); prepare the "
            "data set again"
        ) from error


def _decoded(serialized: bytes) -> Record:
    import tensorflow as tf

    features = tf.train.Example.FromString(serialized).features.feature

    def text(name: str) -> bytes:
        return features[name].bytes_list.value[0]

    def values(prefix: str) -> dict[str, Any]:
        found = {}
        for name in sorted(features):
            classes = features[name].int64_list.value
            values_ = features[name].float_list.value
            if name.startswith(prefix) and (classes or values_):
                value = classes[0] if classes else tuple(values_)
                found[name[len(prefix) :]] = value
        return found

    def crowd() -> dict[str, Any]:
        return {
            name: crowd_labels.from_features(
                features[key + crowd_labels.ANNOTATOR].int64_list.value,
                features[key + crowd_labels.LABEL].int64_list.value,
                features[key + crowd_labels.LABEL].float_list.value,
            )
            for name in crowd_labels.names_in(features)
            for key in (crowd_labels.CROWD + name,)
        }

    return Record(
        image_id=text("image_id").decode(),
        image=text(IMAGE),
        labels=values(LABEL) | crowd(),
        clean=values(CLEAN),
        source=text("source").decode(),
        box=tuple(features["box"].float_list.value),
        alignment=text("alignment").decode(),
    )


def parsing_spec(columns: dict[str, Column]) -> dict[str, Any]:
    """What tf.io.parse_example needs to read these features of a record.

    Args:
      columns: feature name ('label/...' or 'clean/...') -> its column.

    Returns:
      Feature name -> tf.io feature. A missing class reads as -1, missing values as NaN;
      of a crowd column, two ragged features.
    """
    import tensorflow as tf

    spec = {IMAGE: tf.io.FixedLenFeature([], tf.string)}
    for name, column in columns.items():
        if column.annotators:
            spec |= crowd_labels.spec(column.name, column.is_categorical)
        elif column.is_categorical:
            spec[name] = tf.io.FixedLenFeature([], tf.int64, default_value=-1)
        else:
            spec[name] = tf.io.FixedLenFeature(
                [column.size], tf.float32, default_value=[math.nan] * column.size
            )
    return spec

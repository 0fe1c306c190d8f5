"""The labels of a prepared split, without its pictures."""

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np
from absl import logging

from kfer.crowd import triples as triples_lib
from kfer.crowd.triples import Triples, Values
from kfer.data import broken, crowds, rewrite, shards
from kfer.data import record as record_lib
from kfer.data.dataset import Dataset
from kfer.data.label_noise import ANNOTATOR
from kfer.data.record import CLEAN, LABEL, Column
from kfer.errors import UserError

_BATCH = 4096


@dataclasses.dataclass(frozen=True)
class LabelSets:
    """The labels of n pictures by column.

    Attributes:
      ids: image ids, in the order of the shards.
      labels: column -> int64 [n], -1 where missing; or float64 [n, D], NaN there.
      clean: the same for the truth.
      columns, clean_columns: what they mean.
      crowds: crowd column -> its labels, see kfer.data.crowds.triples.
      crowd_columns: what they mean.
    """

    ids: list[str]
    labels: dict[str, np.ndarray]
    clean: dict[str, np.ndarray]
    columns: dict[str, Column]
    clean_columns: dict[str, Column]
    crowds: dict[str, Triples | list[Values]] = dataclasses.field(default_factory=dict)
    crowd_columns: dict[str, Column] = dataclasses.field(default_factory=dict)

    @property
    def keys(self) -> np.ndarray:
        """Of the pictures, for `kfer.crowd`: they follow from the ids alone."""
        return triples_lib.keys_of(self.ids)

    def annotators(self) -> list[str]:
        """Class columns of one annotator each.

        These are 'annotator_*'; where there is none, every class column counts as one.

        Raises:
          UserError: they don't have the same classes.
        """
        names = [
            name
            for name, column in self.columns.items()
            if column.is_categorical and not name.startswith(rewrite.KEPT)
        ]
        names = [name for name in names if name.startswith(ANNOTATOR)] or names
        classes = {self.columns[name].classes for name in names}
        if len(classes) > 1:
            raise UserError(
                f"The annotators {', '.join(names)} have {len(classes)} different "
                "lists of classes; an audit compares annotators of the same classes"
            )
        return names

    def derived(self) -> list[str]:
        """Class columns that are no annotator's but have the annotators' classes."""
        names = self.annotators()
        alike = {self.columns[name].classes for name in names}
        return [
            name
            for name, column in self.columns.items()
            if column.is_categorical and column.classes in alike and name not in names
        ]

    def values(self) -> list[list[str]]:
        """Continuous columns, those of the same dimensions together.

        What was given before a correction (rewrite.KEPT) is left out here and among the
        annotators: it is no other person's account.
        """
        groups: dict[tuple[str, ...], list[str]] = {}
        for name, column in self.columns.items():
            if not (column.is_categorical or name.startswith(rewrite.KEPT)):
                groups.setdefault(column.dimensions, []).append(name)
        return list(groups.values())

    def truth(self, name: str) -> tuple[str, np.ndarray | None]:
        """The clean column that a label column is an account of, and its values.

        Returns:
          ('', None) if there is none, or the split has no value of it.
        """
        column = (self.columns | self.crowd_columns)[name]
        found = shards.truth_of(column, self.clean_columns)
        if not column.is_categorical:
            alike = (c for c in self.clean_columns.values() if not c.is_categorical)
            names = [c.name for c in alike if c.dimensions == column.dimensions]
            found = names[0] if names else ""
        if not found or not given(self.clean[found]).any():
            return "", None
        return found, self.clean[found]


def given(labels: np.ndarray) -> np.ndarray:
    """Where a label is not missing, bool [n]; of classes [n] or values [n, D]."""
    return labels >= 0 if labels.ndim == 1 else np.isfinite(labels).all(axis=1)


def read(dataset: Dataset, split: str) -> LabelSets:
    """Reads every record of a split.

    Raises:
      UserError: no such split, it has no label, or a shard is damaged or has another
        number of records than dataset.json says.
    """
    single = {n: c for n, c in dataset.columns.items() if not c.annotators}
    columns = {n: c for n, c in single.items() if not c.is_votes}
    for name in single.keys() - columns.keys():
        logging.info("%s is left out: its votes are nobody's in particular", name)
    crowd_columns = {
        name: column
        for name, column in dataset.columns.items()
        if column.annotators and not name.startswith(rewrite.KEPT)
    }
    features = {LABEL + name: column for name, column in columns.items()}
    features |= {CLEAN + name: c for name, c in dataset.clean_columns.items()}
    with broken.one_line(dataset):
        ids, parsed = _parsed(dataset, split, features)
    _check_labelled(dataset, split)
    return LabelSets(
        ids,
        {name: parsed[LABEL + name] for name in columns},
        {name: parsed[CLEAN + name] for name in dataset.clean_columns},
        columns,
        dataset.clean_columns,
        {name: crowds.triples(dataset, split, name) for name in crowd_columns},
        crowd_columns,
    )


def _parsed(
    dataset: Dataset, split: str, features: dict[str, Column]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Image ids, and these features of all records of a split."""
    import tensorflow as tf

    spec = record_lib.parsing_spec(features)
    spec["image_id"] = tf.io.FixedLenFeature([], tf.string)
    del spec[record_lib.IMAGE]
    records = (s for path in dataset.files(split) for s in shards.read_shard(path))
    parts: dict[str, list[np.ndarray]] = {name: [] for name in spec}
    for batch in iter(lambda: list(itertools.islice(records, _BATCH)), []):
        for name, values in tf.io.parse_example(batch, spec).items():
            parts[name].append(values.numpy())
    found = {name: np.concatenate(values) for name, values in parts.items()}
    ids = [image_id.decode() for image_id in found.pop("image_id")]
    if len(ids) != (count := dataset.split(split).num_records):
        raise UserError(
            f"{dataset.root} has {len(ids)} pictures in {split}, its labels are of "
            f"{count}; prepare the data set again"
        )
    return ids, {
        name: values if features[name].is_categorical else values.astype(np.float64)
        for name, values in found.items()
    }


def _check_labelled(dataset: Dataset, split: str) -> None:
    filled = [
        name
        for name, part in dataset.splits.items()
        if any(n and key.startswith(LABEL) for key, n in part.given.items())
    ]
    if split not in filled:
        count = dataset.split(split).num_records
        raise UserError(
            f"None of the {count} pictures of {split} in {dataset.root} has a "
            f"label; splits with labels: {filled}"
        )


def encoded_pictures(dataset: Dataset, split: str, rows: Iterable[int]) -> list[bytes]:
    """The encoded pictures of these rows of a split, in their order here."""
    rows = list(rows)
    wanted, found, row = set(rows), {}, 0
    for path in dataset.files(split):
        for serialized in shards.read_shard(path):
            if row in wanted:
                found[row] = record_lib.decode(serialized).image
            row += 1
    return [found[row] for row in rows]

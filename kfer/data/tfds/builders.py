"""A prepared data set as a TFDS builder.

TFDS keeps its own copy below its data_dir, in a folder named after the content hash, so
another preparation of the same data is another copy and never mistaken for it.

feature         meaning
image_id        text
image           uint8 [S, S, 3]
label/<column>  class, -1 where missing; or floats, NaN where missing; of a crowd
                column a sequence of 'annotator' and 'label'
clean/<column>  the truth, in the same way
"""

import dataclasses
import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from kfer.data import dataset as dataset_lib
from kfer.data import record as record_lib
from kfer.data import shards
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN, LABEL, Column, Record
from kfer.errors import UserError


def declared(dataset: Dataset) -> dict[str, Column]:
    """Feature name -> column."""
    found = {LABEL + name: column for name, column in dataset.columns.items()}
    return found | {CLEAN + name: c for name, c in dataset.clean_columns.items()}


def feature_of(column: Column) -> Any:
    """The TFDS feature of a column."""
    if column.annotators:
        single = dataclasses.replace(column, annotators=())
        return tfds.features.Sequence(
            {
                "annotator": tfds.features.ClassLabel(names=column.annotators),
                "label": feature_of(single),
            }
        )
    if column.is_categorical:
        return tfds.features.ClassLabel(names=column.classes)
    return tfds.features.Tensor(shape=(column.size,), dtype=np.float32)


def value_of(record: Record, feature: str, column: Column) -> Any:
    """A record's value of a feature, with TFDS's marks of what is missing."""
    prefix, name = feature.split("/", 1)
    values = record.labels if prefix == "label" else record.clean
    if column.annotators:
        pairs = values.get(name, ())
        return [{"annotator": who, "label": label} for who, label in pairs]
    if column.is_categorical:
        return values.get(name, -1)
    return np.array(values.get(name, [math.nan] * column.size), np.float32)


class KferPrepared(tfds.core.GeneratorBasedBuilder):
    """Any prepared data set.

    Args:
      prepared_dir: its folder.
      **kwargs: of GeneratorBasedBuilder.

    Raises:
      UserError: no data set, or one of another name than the builder's.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    DATASET = ""

    def __init__(self, *, prepared_dir: str = "", **kwargs: Any):
        if not prepared_dir:
            raise UserError(
                f"{self.name} reads a prepared data set: pass "
                'builder_kwargs={"prepared_dir": DIR}'
            )
        self._dataset = dataset_lib.load(prepared_dir)
        if self.DATASET and self._dataset.name != self.DATASET:
            raise UserError(
                f"{prepared_dir} holds {self._dataset.name}, {self.name} reads "
                f"{self.DATASET}; use kfer_prepared for any data set"
            )
        kwargs["config"] = tfds.core.BuilderConfig(
            name=self._dataset.content_hash[:16], description=self._dataset.command
        )
        super().__init__(**kwargs)

    def _info(self) -> tfds.core.DatasetInfo:
        size = self._dataset.image_size or None
        features = {
            "image_id": tfds.features.Text(),
            "image": tfds.features.Image(
                shape=(size, size, 3), encoding_format=self._dataset.image_format
            ),
        }
        columns = declared(self._dataset)
        features |= {name: feature_of(column) for name, column in columns.items()}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            description=f"{self._dataset.name}, prepared by kfer.",
        )

    def _split_generators(self, dl_manager: Any) -> dict[str, Any]:
        del dl_manager
        return {
            split: self._generate_examples(split)
            for split, info in self._dataset.splits.items()
            if info.num_records
        }

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        columns = declared(self._dataset)
        for path in self._dataset.files(split):
            for serialized in shards.read_shard(path):
                record = record_lib.decode(serialized)
                example = {
                    "image_id": record.image_id,
                    "image": io.BytesIO(record.image),
                }
                for name, column in columns.items():
                    example[name] = value_of(record, name, column)
                yield record.image_id, example


class KferRaf(KferPrepared):
    """RAF-DB."""

    DATASET = "raf"


class KferAffectnet(KferPrepared):
    """AffectNet."""

    DATASET = "affectnet"


class KferFerplus(KferPrepared):
    """FER+."""

    DATASET = "ferplus"


class KferManifest(KferPrepared):
    """A folder with a manifest."""

    DATASET = "manifest"

"""What the components note on artifacts in ML Metadata."""

import json
import os
from typing import Any

from tfx.components.util import examples_utils
from tfx.types import artifact as artifact_lib
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils

from kfer.data import dataset as dataset_lib
from kfer.data.dataset import Dataset
from kfer.preprocess import ingest
from kfer.storage import places
from kfer.training import run_folder

# Custom properties, read by the runner's output and by kfer-lineage.
SUMMARY = "summary"
CONTENT_HASH = "content_hash"
NOISE = "noise"
COMMIT = "commit"
VERSIONS = "versions"
DATASET = "dataset"
CONFIG_HASH = "config_hash"


class LabelCheck(artifact_lib.Artifact):
    """Says that a data set's labels fit the schema."""

    TYPE_NAME = "components.LabelCheck"


def note(artifact: Any, **properties: str) -> None:
    """Sets custom properties."""
    for name, value in properties.items():
        artifact.set_string_custom_property(name, value)


def describe_examples(examples: Any, dataset: Dataset) -> None:
    """Marks an artifact's folder as a prepared data set that TFX's components read."""
    filled = [name for name, info in dataset.splits.items() if info.num_records]
    patterns = {split: f"{split}-*.tfrecord" for split in filled}
    examples.split_names = artifact_utils.encode_split_names(filled)
    examples.set_string_custom_property(
        *examples_utils.get_custom_split_patterns_key_and_property(patterns)
    )
    noise = ingest.describe_noise(dataset)
    counts = ingest.describe(dataset)
    note(
        examples,
        **{
            SUMMARY: f"{counts}; wrong labels: {noise}" if noise else counts,
            DATASET: dataset.name,
            CONTENT_HASH: dataset.content_hash,
            NOISE: json.dumps(ingest.noise_of(dataset)),
            COMMIT: run_folder.commit(),
            VERSIONS: json.dumps(dataset.versions),
        },
    )


def folder(artifact: Any) -> str:
    """The artifact's folder as this machine reaches it (kfer.storage.places.local)."""
    return places.local(artifact.uri, f"The artifact {artifact.type_name}")


def load_examples(examples: Any) -> Dataset:
    """The prepared data set of an Examples artifact."""
    return dataset_lib.load(folder(examples))


def model_dir(model: standard_artifacts.Model) -> str:
    """The SavedModel of a Trainer's Model artifact, or the folder that was imported."""
    whole = folder(model)
    found = path_utils.serving_model_dir(whole)
    return found if os.path.isdir(found) else whole

"""Stops the pipeline where labels don't fit the schema; ExampleValidator never does."""

import json

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts

from components import artifacts
from kfer.data import dataset as dataset_lib
from kfer.data import label_schema
from kfer.errors import UserError


@component
def label_gate(
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    check: OutputArtifact[artifacts.LabelCheck],
    code_version: Parameter[str],
) -> None:
    """Raises UserError that names every anomaly, or examples that nobody looked at.

    Args:
      examples: that were looked at.
      statistics: of these examples.
      anomalies: of ExampleValidator.
      check: says that there was none.
      code_version: a change of it looks again.
    """
    del code_version
    splits = json.loads(anomalies.split_names)
    counted = {s: artifact_utils.get_split_uri([statistics], s) for s in splits}
    dataset = dataset_lib.load(artifacts.folder(examples))
    records = {split: info.num_records for split, info in dataset.splits.items()}
    if found := label_schema.miscounted(counted, records):
        raise UserError(
            f"{'; '.join(found)}. Beam's workers must reach {dataset.root} and the "
            "artifacts; nothing was trained"
        )
    folders = {s: artifact_utils.get_split_uri([anomalies], s) for s in splits}
    if found := label_schema.anomalies(folders):
        raise UserError(
            f"The labels don't fit the schema: {'; '.join(found)}. Mend the data, or "
            "the schema if it is wrong; nothing was trained"
        )
    artifacts.note(check, **{artifacts.SUMMARY: f"labels of {', '.join(splits)} fit"})

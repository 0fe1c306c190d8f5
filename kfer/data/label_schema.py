"""The records' label features as a TensorFlow Metadata schema, from record.Column.

Labels may be missing, so no feature must be present; a class that its column doesn't
have, a value out of its range or of another length is an anomaly.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from kfer.data import crowd_labels
from kfer.data.crowd_labels import CROWD
from kfer.data.record import CLEAN, LABEL, Column
from kfer.tasks import CATEGORICAL


def features(
    columns: Mapping[str, Column], clean_columns: Mapping[str, Column]
) -> dict[str, Column]:
    """Feature name of a record -> its column; the two features of a crowd column."""
    found = {}
    for name, column in columns.items():
        if column.annotators:
            base, who = CROWD + name, column.annotators
            found[base + crowd_labels.LABEL] = column
            found[base + crowd_labels.ANNOTATOR] = dataclasses.replace(
                column, kind=CATEGORICAL, classes=who, dimensions=()
            )
        else:
            found[LABEL + name] = column
    return found | {CLEAN + name: column for name, column in clean_columns.items()}


def schema_text(
    columns: Mapping[str, Column], clean_columns: Mapping[str, Column]
) -> str:
    """The schema in protobuf's text format."""
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = schema_pb2.Schema()
    for name, column in features(columns, clean_columns).items():
        _add(schema, name, column)
    return text_format.MessageToString(schema)


def _add(schema: Any, name: str, column: Column) -> None:
    from tensorflow_metadata.proto.v0 import schema_pb2

    size = 1 if column.is_categorical else column.size
    feature = schema.feature.add(name=name)
    feature.value_count.min = size
    feature.value_count.max = size * max(1, len(column.annotators))
    if column.is_categorical:
        feature.type = schema_pb2.INT
        feature.int_domain.min, feature.int_domain.max = 0, column.size - 1
        feature.int_domain.is_categorical = True
        return
    feature.type = schema_pb2.FLOAT
    domain = feature.float_domain
    domain.min = column.low
    if not column.is_votes:
        domain.max = column.high
    domain.disallow_nan = domain.disallow_inf = True


def anomalies(folders: Mapping[str, str]) -> list[str]:
    """What ExampleValidator found, one line for each feature.

    Args:
      folders: split -> folder with its SchemaDiff.pb.
    """
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    found = []
    for split, folder in folders.items():
        with open(os.path.join(folder, "SchemaDiff.pb"), "rb") as file:
            parsed = anomalies_pb2.Anomalies.FromString(file.read())
        found += [
            f"{split} {name}: {info.description.rstrip('.')}"
            for name, info in sorted(parsed.anomaly_info.items())
        ]
        if parsed.HasField("dataset_anomaly_info"):
            found.append(f"{split}: {parsed.dataset_anomaly_info.description}")
    return found


def miscounted(folders: Mapping[str, str], expected: Mapping[str, int]) -> list[str]:
    """Splits whose statistics count other examples than there are, one line each.

    Statistics of nothing have no anomaly: workers that read a folder of their own
    would let everything pass.

    Args:
      folders: split -> folder with its FeatureStats.pb.
      expected: split -> its records.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2

    found = []
    for split, folder in folders.items():
        path = os.path.join(folder, "FeatureStats.pb")
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            data = b""
        parsed = statistics_pb2.DatasetFeatureStatisticsList.FromString(data)
        count = sum(part.num_examples for part in parsed.datasets)
        if count != expected.get(split, 0):
            found.append(
                f"{split} has {expected.get(split, 0)} records, its statistics "
                f"count {count}"
            )
    return found

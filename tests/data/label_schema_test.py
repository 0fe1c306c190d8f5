"""The label schema as TFDV applies it."""

import pytest

from kfer.data import label_schema, record
from kfer.data.record import Column

COLUMNS = {
    "expression": record.categorical("expression", ("a", "b", "c")),
    "valence_arousal": record.valence_arousal(),
}


def parsed():
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = label_schema.schema_text(COLUMNS, {"expression": COLUMNS["expression"]})
    return text_format.Parse(text, schema_pb2.Schema())


def test_features_are_the_records():
    found = label_schema.features(COLUMNS, {"expression": COLUMNS["expression"]})
    assert list(found) == [
        "label/expression",
        "label/valence_arousal",
        "clean/expression",
    ]


def test_domains_are_the_columns():
    features = {feature.name: feature for feature in parsed().feature}
    domain = features["label/expression"].int_domain
    assert (domain.min, domain.max) == (0, 2)
    values = features["label/valence_arousal"]
    assert (values.float_domain.min, values.float_domain.max) == (-1.0, 1.0)
    assert (values.value_count.min, values.value_count.max) == (2, 2)


def test_a_range_that_is_not_symmetric():
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    votes = Column("votes", "continuous", dimensions=("a", "b", "c"), low=0.0)
    schema = text_format.Parse(
        label_schema.schema_text({"votes": votes}, {}), schema_pb2.Schema()
    )
    assert schema.feature[0].float_domain.min == 0.0
    assert schema.feature[0].value_count.max == 3


@pytest.mark.parametrize(
    "labels, found",
    [
        ({"expression": 2, "valence_arousal": (1.0, -1.0)}, []),
        ({}, []),
        ({"expression": 3}, ["train label/expression: Unexpectedly large values: 3"]),
        ({"expression": -1}, ["train label/expression: Unexpectedly small value: -1"]),
        (
            {"valence_arousal": (0.5, 1.5)},
            ["train label/valence_arousal: Unexpectedly high values: 1.5"],
        ),
        ({"valence_arousal": (0.5,)}, ["train label/valence_arousal: "]),
        ({"valence_arousal": (0.5, float("nan"))}, ["train label/valence_arousal: "]),
    ],
)
def test_tfdv_finds_what_does_not_fit(tmp_path, labels, found):
    import pyarrow as pa

    tfdv = pytest.importorskip("tensorflow_data_validation")
    rows = [labels, {"expression": 1, "valence_arousal": (0.0, 0.0)}]
    arrays = {
        "label/expression": pa.array(
            [[r["expression"]] if "expression" in r else None for r in rows],
            pa.list_(pa.int64()),
        ),
        "label/valence_arousal": pa.array(
            [r.get("valence_arousal") for r in rows], pa.list_(pa.float32())
        ),
    }
    from tensorflow_data_validation.statistics import stats_impl

    table = pa.RecordBatch.from_arrays(list(arrays.values()), list(arrays))
    statistics = stats_impl.generate_statistics_in_memory(table)
    anomalies = tfdv.validate_statistics(statistics, parsed())
    (tmp_path / "SchemaDiff.pb").write_bytes(anomalies.SerializeToString())
    lines = label_schema.anomalies({"train": str(tmp_path)})
    assert len(lines) == len(found), lines
    for line, text in zip(lines, found):
        assert line.startswith(text.split(": ")[0] + ": ")


def test_statistics_of_fewer_examples_than_there_are(tmp_path):
    """Lost shards have no anomaly, but are missed in the count."""
    from tensorflow_metadata.proto.v0 import statistics_pb2

    counted = statistics_pb2.DatasetFeatureStatisticsList()
    counted.datasets.add(num_examples=7)
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
    (tmp_path / "train/FeatureStats.pb").write_bytes(counted.SerializeToString())
    folders = {split: str(tmp_path / split) for split in ("train", "test")}
    assert label_schema.miscounted({"train": folders["train"]}, {"train": 7}) == []
    assert label_schema.miscounted(folders, {"train": 9, "test": 2}) == [
        "train has 9 records, its statistics count 7",
        "test has 2 records, its statistics count 0",
    ]

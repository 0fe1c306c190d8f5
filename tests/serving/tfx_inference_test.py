"""TFX's own BulkInferrer and TFMA on an exported model and a prepared data set."""

import glob
import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import record, shards
from tests import runs

tfx = pytest.importorskip("tfx.v1", reason="TFX is not installed")


@pytest.mark.slow
def test_the_bulk_inferrer_gives_the_model_s_answers(tmp_path):
    from tensorflow_serving.apis import prediction_log_pb2

    os.makedirs(tmp_path / "examples")
    for path in runs.dataset().files("test"):
        shutil.copy(path, tmp_path / "examples")
    shutil.copytree(runs.model(), tmp_path / "model" / "Format-Serving")
    examples = tfx.components.ImportExampleGen(input_base=str(tmp_path / "examples"))
    model = tfx.dsl.Importer(
        source_uri=str(tmp_path / "model"),
        artifact_type=tfx.types.standard_artifacts.Model,
    ).with_id("model")
    inferrer = tfx.components.BulkInferrer(
        examples=examples.outputs["examples"],
        model=model.outputs["result"],
        model_spec=tfx.proto.ModelSpec(model_signature_name=["predict_examples"]),
    )
    metadata = tfx.orchestration.metadata.sqlite_metadata_connection_config(
        str(tmp_path / "metadata.sqlite")
    )
    pipeline = tfx.dsl.Pipeline(
        "bulk",
        str(tmp_path / "root"),
        components=[examples, model, inferrer],
        metadata_connection_config=metadata,
    )
    tfx.orchestration.LocalDagRunner().run(pipeline)
    files = glob.glob(f"{tmp_path}/root/BulkInferrer/inference_result/*/*.gz")
    logs = [
        prediction_log_pb2.PredictionLog.FromString(row).predict_log
        for row in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ]
    assert len(logs) == runs.dataset().splits["test"].num_records > 0
    ask = tf.saved_model.load(runs.model()).signatures["serving_default"]
    for log in logs:
        (stored,) = log.request.inputs["examples"].string_val
        expected = ask(image_bytes=tf.constant([record.decode(stored).image]))
        found = {k: tf.make_ndarray(v) for k, v in log.response.outputs.items()}
        assert set(found) == set(expected)
        assert found["status"].tolist() == [[b"OK"]]
        for name, value in expected.items():
            if value.dtype == tf.string:
                assert found[name].tolist() == value.numpy().reshape(1, -1).tolist()
            else:
                np.testing.assert_allclose(found[name], value, atol=1e-5)


@pytest.mark.slow
def test_tfma_measures_what_kfer_measures(tmp_path):
    import tensorflow_model_analysis as tfma
    from google.protobuf import text_format

    config = text_format.Parse(
        """
        model_specs {
          signature_name: "predict_examples"
          label_key: "clean/expression"
          prediction_key: "expression"
        }
        metrics_specs {
          metrics { class_name: "SparseCategoricalAccuracy" }
          metrics { class_name: "ExampleCount" }
        }
        slicing_specs {}
        """,
        tfma.EvalConfig(),
    )
    (path,) = runs.dataset().files("test")
    shared = tfma.default_eval_shared_model(runs.model(), eval_config=config)
    found = tfma.run_model_analysis(
        eval_shared_model=shared,
        eval_config=config,
        data_location=path,
        output_path=str(tmp_path),
    )
    (measured,) = found.get_metrics_for_all_slices().values()
    truth = [record.decode(row).clean["expression"] for row in shards.read_shard(path)]
    ask = tf.saved_model.load(runs.model()).signatures["serving_default"]
    pictures = [record.decode(row).image for row in shards.read_shard(path)]
    answers = ask(image_bytes=tf.constant(pictures))["expression"].numpy()
    right = np.mean(answers.argmax(axis=1) == np.array(truth))
    assert measured["example_count"]["doubleValue"] == len(truth)
    accuracy = measured["sparse_categorical_accuracy"]["doubleValue"]
    assert accuracy == pytest.approx(right) and 0 < right < 1

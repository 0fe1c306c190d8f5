"""The compiled specification against the config, and one component run from it."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import yaml

from kfer.data import dataset as dataset_lib
from kfer.data.datasets import table
from kfer.errors import UserError
from kfer.preprocess import ingest
from pipelines import config as config_lib
from pipelines import kubeflow_runner, own_data, schemas
from tests.pipelines import tiny

IMAGE = "registry.example/kfer:1"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("kubeflow") / "raf_base.json")
    described = config_lib.named("raf_base", {"epochs": 4}, {"epochs": 2})
    kubeflow_runner.compile_pipeline(
        described, "/mnt/kfer", IMAGE, path, "/mnt/raf", "/mnt/affectnet"
    )
    with open(path, encoding="utf-8") as file:
        return described, json.load(file)["pipelineSpec"]


def parameters(spec, task):
    found = spec["root"]["dag"]["tasks"][task]["inputs"]["parameters"]
    return {
        name: next(iter(row["runtimeValue"]["constantValue"].values()))
        for name, row in found.items()
    }


def args_of(spec, task):
    label = spec["components"][task]["executorLabel"]
    return spec["deploymentSpec"]["executors"][label]["container"]


def test_every_node_is_a_task(compiled):
    _, spec = compiled
    tasks = set(spec["root"]["dag"]["tasks"])
    assert tasks >= {
        "face_example_gen",
        "teacher_face_example_gen",
        "teacher_trainer",
        "relabeler",
        "label_gate",
        "trainer_joint",
        "fer_evaluator",
        "serving_check",
        "model_pusher",
    }
    assert spec["pipelineInfo"]["name"] == "raf-base"


def test_parameters_are_the_configs(compiled):
    described, spec = compiled
    source = parameters(spec, "face_example_gen")
    assert ingest.from_json(source["source"]) == described.source
    assert source["root"] == "/mnt/raf"
    settings = json.loads(parameters(spec, "trainer_joint")["custom_config"])
    assert settings["experiment"]["epochs"] == 4
    assert settings["work_dir"] == "/mnt/kfer/checkpoints"
    teacher = json.loads(parameters(spec, "teacher_trainer")["custom_config"])
    assert (teacher["experiment"]["epochs"], teacher["experiment"]["method"]) == (
        2,
        "vgg_all",
    )
    assert parameters(spec, "relabeler")["columns"] == "expression,valence_arousal"
    minimum = parameters(spec, "fer_evaluator")["minimum"]
    assert json.loads(minimum) == dict(described.minimum)


def test_tasks_hang_together(compiled):
    _, spec = compiled
    tasks = spec["root"]["dag"]["tasks"]
    assert "label_gate" in tasks["trainer_joint"]["dependentTasks"]
    assert "teacher_label_gate" in tasks["teacher_trainer"]["dependentTasks"]
    inputs = tasks["relabeler"]["inputs"]["artifacts"]
    assert inputs["teacher"]["taskOutputArtifact"]["producerTask"] == "teacher_trainer"
    learned = tasks["trainer_joint"]["inputs"]["artifacts"]["examples"]
    assert learned["taskOutputArtifact"]["producerTask"] == "relabeler"


def test_containers_are_the_image_with_beams_flags(compiled):
    _, spec = compiled
    container = args_of(spec, "relabeler")
    assert container["image"] == IMAGE
    assert container["args"][-2:] == [
        "--runner=FnApiRunner",
        f"--sdk_container_image={IMAGE}",
    ]
    assert "components.relabeler.executor.Executor" in container["args"]


def test_our_artifact_type_is_found_by_its_name(compiled):
    from tfx.utils import import_utils

    _, spec = compiled
    outputs = spec["components"]["label_gate"]["outputDefinitions"]["artifacts"]
    title = yaml.safe_load(outputs["check"]["artifactType"]["instanceSchema"])["title"]
    found = import_utils.import_class_by_path(title)
    assert found.TYPE_NAME == title == "components.LabelCheck"


def test_yaml_is_schema_2_1(tmp_path):
    path = str(tmp_path / "demo.yaml")
    kubeflow_runner.compile_pipeline(
        tiny.config(), "/mnt/kfer", IMAGE, path, beam_args=["--runner=FlinkRunner"]
    )
    with open(path, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    assert spec["schemaVersion"] == "2.1.0"
    assert "--runner=FlinkRunner" in args_of(spec, "face_example_gen")["args"]
    assert "--runner=FnApiRunner" not in args_of(spec, "face_example_gen")["args"]


def test_a_component_runs_from_its_container_entry_point(tmp_path):
    """face_example_gen by the arguments that the compiled file gives its container."""
    path, out = str(tmp_path / "demo.json"), str(tmp_path / "examples")
    limit = {"train": 12, "test": 4}
    described = config_lib.named("synthetic_faces", tiny.SETTINGS, limit=limit)
    kubeflow_runner.compile_pipeline(described, str(tmp_path), IMAGE, path)
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)["pipelineSpec"]
    values = parameters(spec, "face_example_gen")
    output = spec["components"]["face_example_gen"]["outputDefinitions"]["artifacts"]
    artifact = {"name": "a/1", "uri": out, "type": output["examples"]["artifactType"]}
    executor_input = {
        "inputs": {
            "parameters": {key: {"stringValue": text} for key, text in values.items()}
        },
        "outputs": {
            "artifacts": {"examples": {"artifacts": [artifact]}},
            "outputFile": str(tmp_path / "task" / "output.json"),
        },
    }
    args = [
        json.dumps(executor_input) if arg == "{{$}}" else arg
        for arg in args_of(spec, "face_example_gen")["args"]
    ]
    module = "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor"
    done = subprocess.run(
        [sys.executable, "-m", module, *args],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    dataset = dataset_lib.load(out)
    assert dataset.split("train").num_records == 12
    with open(tmp_path / "task" / "output.json", encoding="utf-8") as file:
        written = json.load(file)["artifacts"]["examples"]["artifacts"][0]
    assert written["metadata"]["content_hash"] == dataset.content_hash


@pytest.mark.parametrize("root", ["gs://b/kfer", "/gcs/b/kfer"])
def test_a_bucket_is_vertex_s_root_and_mounted_for_the_containers(tmp_path, root):
    path = str(tmp_path / "demo.json")
    kubeflow_runner.compile_pipeline(
        config_lib.named("ferplus"), root, IMAGE, path, "gs://b/ferplus"
    )
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    assert whole["runtimeConfig"]["gcsOutputDirectory"].startswith("gs://b/kfer/")
    spec = whole["pipelineSpec"]
    settings = json.loads(parameters(spec, "trainer_joint")["custom_config"])
    assert settings["work_dir"] == "/gcs/b/kfer/checkpoints"
    assert parameters(spec, "face_example_gen")["root"] == "/gcs/b/ferplus"
    pusher = parameters(spec, "model_pusher")
    assert pusher["push_dir"] == "/gcs/b/kfer/models/ferplus"


@pytest.mark.parametrize("end", ("json", "yaml"))
def test_trainers_ask_for_what_they_need(tmp_path, end):
    out = str(tmp_path / f"out.{end}")
    asked = kubeflow_runner.Resources(8, 30, 1, "NVIDIA_TESLA_T4")
    kubeflow_runner.compile_pipeline(
        config_lib.named("raf_base"),
        *("/mnt/kfer", IMAGE, out, "/mnt/raf", "/mnt/affectnet"),
        resources=asked,
    )
    with open(out, encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    spec = spec.get("pipelineSpec", spec)
    found = {
        name.removesuffix("_executor"): row["container"].get("resources")
        for name, row in spec["deploymentSpec"]["executors"].items()
        if "container" in row
    }
    trainers = {"teacher_trainer", "trainer_joint"}
    assert {name for name, row in found.items() if row} == trainers
    for name in trainers:
        row = found[name]
        assert (row["cpuLimit"], row["memoryLimit"]) == (8.0, 30.0)
        assert row["accelerator"]["type"] == "NVIDIA_TESLA_T4"
        assert int(row["accelerator"]["count"]) == 1


def test_gpus_without_a_kind():
    with pytest.raises(UserError, match="a number and a kind; got 2 of ''"):
        kubeflow_runner.Resources(gpus=2)


def test_what_is_refused(tmp_path):
    out = str(tmp_path / "out.json")
    with pytest.raises(UserError, match="is a .json or .yaml file, not out.txt"):
        kubeflow_runner.compile_pipeline(tiny.config(), "/mnt", IMAGE, "out.txt")
    with pytest.raises(UserError, match="raf needs its raw folder; got ''"):
        kubeflow_runner.compile_pipeline(
            config_lib.named("raf_base"), "/mnt", IMAGE, out
        )
    with pytest.raises(UserError, match="synthetic_faces is drawn, not read"):
        kubeflow_runner.compile_pipeline(tiny.config(), "/mnt", IMAGE, out, "/mnt/raw")


def test_the_schema_of_ones_own_data_is_written_beside(tmp_path):
    table.make_fake_root(str(tmp_path / "raw"), 6, np.random.default_rng(0))
    data = str(tmp_path / "raw")
    described = own_data.config_of(
        data, {"path": str(tmp_path / "raw" / "ratings.csv")}, settings={"seed": 1}
    )
    out = tmp_path / "out" / "own.json"
    path = kubeflow_runner.compile_pipeline(
        described, "/mnt/kfer", "image:1", str(out), data
    )
    (schema,) = [n for n in os.listdir(tmp_path / "out") if n.endswith(".pbtxt")]
    assert schema == schemas.name_of(described)
    with open(path, encoding="utf-8") as file:
        assert f"/mnt/kfer/schemas/{schema}" in file.read()
    assert (tmp_path / "out" / schema).read_text() == schemas.text_of(described)

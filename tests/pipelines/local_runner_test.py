"""A tiny pipeline end to end: cached when nothing changed, stopped when it must be."""

import dataclasses
import glob
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.serving import model_folder
from kfer.training import run_folder
from pipelines import local_runner, records, schemas
from tests.pipelines import tiny


def test_every_node_runs_and_says_what_it_made(first):
    _, (result, lines), _ = first
    assert list(lines) == list(result.nodes) and set(lines) == set(tiny.NODES)
    assert not tiny.cached(lines)
    assert lines["face_example_gen"][1].startswith("60 train, 20 test; wrong labels:")
    assert lines["label_gate"][1] == "labels of train, test fit"
    assert lines["trainer_vgg_all"][1].startswith("step 3: expression accuracy ")
    assert lines["last_blessed"][1] == "none"
    assert lines["model_pusher"][1] == result.model


def test_what_is_pushed_is_the_trained_model(first):
    root, (result, _), _ = first
    assert tiny.versions(root) == ["1"]
    described = model_folder.read_description(result.model)
    data = dataset_lib.load(result.output("face_example_gen", "examples"))
    assert described["details"]["data"] == data.content_hash
    assert described["step"] == 3


def test_artifacts_are_noted(first):
    _, (result, _), _ = first
    notes = result.nodes["face_example_gen"].outputs["examples"].notes
    data = dataset_lib.load(result.output("face_example_gen", "examples"))
    assert notes["content_hash"] == data.content_hash
    noise = json.loads(notes["noise"])
    assert noise["annotator_1"]["requested"] == 0.2
    assert (
        noise["annotator_1"]["achieved"]
        == data.noise["train"]["annotator_1"]["achieved"]
    )
    evaluated = result.nodes["fer_evaluator"].outputs
    assert evaluated["evaluation"].notes["commit"] == run_folder.commit()
    assert evaluated["blessing"].notes["blessed"] == 1
    assert os.listdir(evaluated["blessing"].uri) == ["BLESSED"]
    assert os.path.isfile(local_runner.report_of(result))


def test_statistics_are_of_labels_alone(first):
    from tensorflow_metadata.proto.v0 import statistics_pb2

    _, (result, _), _ = first
    folder = result.output("statistics_gen", "statistics")
    with open(os.path.join(folder, "Split-train", "FeatureStats.pb"), "rb") as file:
        found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())
    names = {feature.path.step[0] for feature in found.datasets[0].features}
    assert found.datasets[0].num_examples == 60
    assert "label/annotator_1" in names and "image/encoded" not in names


def test_a_second_run_is_cached(first):
    root, (result, _), (again, lines) = first
    assert tiny.cached(lines) == [n for n in result.nodes if n != "last_blessed"]
    assert again.model == result.model and tiny.versions(root) == ["1"]


def test_libraries_speak_into_the_log(first):
    _, (result, _), _ = first
    with open(result.log, encoding="utf-8") as file:
        text = file.read()
    assert "Component face_example_gen is running." in text


@pytest.mark.slow
def test_a_changed_setting_runs_what_depends_on_it(first, monkeypatch):
    """Learning rate: the trainer and what follows. The first try does not serve."""
    from components.serving_check import component

    root, _, _ = first
    changed = tiny.config(learning_rate=2e-4)

    def fails(*arguments):
        raise UserError("The signature serving_default failed: no kernel")

    monkeypatch.setattr(component.check_lib, "check", fails)
    with pytest.raises(UserError, match="The signature serving_default failed"):
        tiny.run(changed, root)
    assert tiny.versions(root) == ["1"]
    monkeypatch.undo()
    _, lines = tiny.run(changed, root)
    assert set(lines) - set(tiny.cached(lines)) == {
        "last_blessed",
        "serving_check",
        "fer_evaluator",
        "model_pusher",
    }
    assert tiny.versions(root) == ["1", "2"]
    assert "/model/" in lines["last_blessed"][1]


def test_a_model_below_the_threshold_is_not_pushed(first):
    root, _, _ = first
    before = tiny.versions(root)
    refused, lines = tiny.run(tiny.config(minimum=0.99), root)
    assert refused.model == "" and tiny.versions(root) == before
    assert "not blessed: expression/accuracy is" in lines["model_pusher"][1]
    blessing = refused.nodes["fer_evaluator"].outputs["blessing"]
    assert blessing.notes["blessed"] == 0
    assert os.listdir(blessing.uri) == ["NOT_BLESSED"]
    assert set(tiny.cached(lines)) >= {"trainer_vgg_all", "serving_check"}


def test_labels_that_do_not_fit_stop_it(first, tmp_path, monkeypatch):
    root, _, _ = first
    with open(schemas.path_of(tiny.config()), encoding="utf-8") as file:
        text = file.read()
    # As if class 6 and valence above 0.1 were unknown.
    text = text.replace("max: 6", "max: 5", 1).replace("max: 1.0", "max: 0.1", 1)
    (tmp_path / "synthetic_faces.pbtxt").write_text(text)
    monkeypatch.setattr(schemas, "FOLDER", str(tmp_path))
    before = tiny.versions(root)
    with pytest.raises(UserError) as caught:
        tiny.run(tiny.config(), root)
    message = str(caught.value)
    assert message.startswith("The labels don't fit the schema: ")
    assert "train label/annotator_1: " in message
    assert "train label/valence_arousal: " in message and "\n" not in message
    assert tiny.versions(root) == before


@pytest.mark.slow
def test_a_killed_training_goes_on(first):
    """SIGKILL after a checkpoint: the data come from the cache, training from there."""
    root, _, _ = first
    before = set(glob.glob(f"{root}/checkpoints/*"))
    program = (
        "from tests.pipelines import tiny; import sys; "
        "tiny.run(tiny.config(steps=35, learning_rate=3e-4), sys.argv[1])"
    )
    child = subprocess.Popen([sys.executable, "-c", program, str(root)])
    try:
        deadline, found = time.monotonic() + 120, []
        while not found and time.monotonic() < deadline:
            assert child.poll() is None, "the run ended before it was killed"
            time.sleep(0.02)
            new = set(glob.glob(f"{root}/checkpoints/*")) - before
            found = [p for f in new for p in glob.glob(f"{f}/checkpoints/*.index")]
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert found
    result, lines = tiny.run(tiny.config(steps=35, learning_rate=3e-4), root)
    assert lines["trainer_vgg_all"][0] != "cached"
    assert {"face_example_gen", "statistics_gen", "label_gate"} <= set(
        tiny.cached(lines)
    )
    with open(result.log, encoding="utf-8") as file:
        assert "Going on at step" in file.read()
    history = run_folder.read_history(result.output("trainer_vgg_all", "model_run"))
    assert history[-1]["step"] == 35


def test_two_runs_at_once(first):
    root, _, _ = first
    with local_runner._lock(str(root)):
        with pytest.raises(UserError, match=rf"process {os.getpid()}\) is at work"):
            local_runner.run(tiny.config(), str(root))


def test_a_pushed_model_that_is_gone(first):
    root, _, _ = first
    # Blessed whatever the models of the tests before have scored.
    described = dataclasses.replace(tiny.config(), largest_drop=2.0)
    result, _ = tiny.run(described, root)
    os.rename(result.model, f"{result.model}-away")
    try:
        with pytest.raises(UserError, match="was pushed before and is gone; copy .*/m"):
            tiny.run(described, root)
    finally:
        os.rename(f"{result.model}-away", result.model)


def test_a_node_that_did_not_run_is_noticed(first):
    root, (result, _), _ = first
    store = records.open_store(os.path.join(root, local_runner.METADATA))
    names = list(result.nodes)
    now = records.last_execution_ids(store, "synthetic_faces", names)
    with pytest.raises(UserError, match="ended without running face_example_gen"):
        records.check_all_done(store, "synthetic_faces", names, now)
    with pytest.raises(UserError, match="ended without running no_such_node"):
        records.check_all_done(store, "synthetic_faces", ["no_such_node"], {})


def test_a_root_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Can't write to .*file"):
        local_runner.run(tiny.config(), str(tmp_path / "file"))


def test_raw_data_that_is_missing_or_not_wanted(tmp_path):
    from pipelines import config as config_lib

    with pytest.raises(UserError, match="Name the folder of raf with --data_dir"):
        local_runner.run(config_lib.named("raf_base"), str(tmp_path))
    with pytest.raises(UserError, match="There is no folder .*none"):
        local_runner.run(
            config_lib.named("ferplus"), str(tmp_path), str(tmp_path / "none")
        )
    with pytest.raises(UserError, match="synthetic_faces is drawn; leave --data_dir"):
        local_runner.run(tiny.config(), str(tmp_path), str(tmp_path))
    with pytest.raises(UserError, match="The pipeline synthetic_faces has no teacher"):
        local_runner.run(tiny.config(), str(tmp_path), "", str(tmp_path))
    with pytest.raises(UserError, match="Name a --teacher_model, or the --teacher_d"):
        local_runner.run(config_lib.named("raf_base"), "r", "", "data", "model")
    assert os.listdir(tmp_path) == []


def test_a_damaged_metadata_file_stops_it(tmp_path):
    (tmp_path / "metadata.sqlite").write_bytes(b"SQLite format 3\0" + b"\0" * 90)
    with pytest.raises(UserError, match="is no whole ML Metadata file"):
        local_runner.run(tiny.config(), str(tmp_path))

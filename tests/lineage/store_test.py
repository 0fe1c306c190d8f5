"""The lineage of a pushed model against what the run itself says."""

import os
import shutil

import pytest

from kfer import methods
from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.lineage import store
from kfer.settings import config as config_lib
from kfer.training import run_folder
from tests.pipelines import tiny


@pytest.fixture(scope="module")
def traced(first):
    _, (result, _), _ = first
    return result, store.trace(result.model)


def test_the_steps_behind_a_pushed_model(traced):
    _, found = traced
    assert [step.node for step in found.steps] == [
        "face_example_gen",
        "trainer_vgg_all",
        *sorted(["fer_evaluator", "serving_check"], reverse=True),
        "model_pusher",
    ]
    names = {step.number: step.node for step in found.steps}
    parents = {s.node: sorted(names[p] for p in s.parents) for s in found.steps}
    assert parents["trainer_vgg_all"] == ["face_example_gen"]
    assert parents["model_pusher"] == [
        "fer_evaluator",
        "serving_check",
        "trainer_vgg_all",
    ]
    assert {step.pipeline for step in found.steps} == {"synthetic_faces"}


def test_data_hash_commit_and_config(traced):
    result, found = traced
    ((_, data),) = found.artifacts("Examples")
    dataset = dataset_lib.load(result.output("face_example_gen", "examples"))
    assert data["content_hash"] == dataset.content_hash
    ((_, notes),) = found.artifacts("ModelEvaluation")
    assert notes["commit"] == run_folder.commit()
    config = methods.resolve_tasks(tiny.config().experiment)
    assert notes["config_hash"] == config_lib.config_hash(config)
    trainer = next(step for step in found.steps if step.node == "trainer_vgg_all")
    assert store.training(trainer)["steps"] == 3
    assert store.training(found.steps[0]) == {}


def test_a_trainers_model_is_known_too(traced):
    result, _ = traced
    model = os.path.join(result.output("trainer_vgg_all", "model"), "Format-Serving")
    nodes = [step.node for step in store.trace(model).steps]
    assert nodes == ["face_example_gen", "trainer_vgg_all"]


def test_what_is_not_known(traced, tmp_path):
    result, found = traced
    copy = tmp_path / "copy"
    shutil.copytree(result.model, copy)
    with pytest.raises(UserError, match="No metadata.sqlite lies above"):
        store.trace(str(copy))
    with pytest.raises(UserError, match="doesn't know what made"):
        store.trace(str(copy), found.metadata)
    with pytest.raises(UserError, match="There is no metadata file"):
        store.trace(str(copy), str(tmp_path / "none"))
    with pytest.raises(UserError, match="There is no model folder"):
        store.trace(str(tmp_path / "nothing"))
    (tmp_path / "metadata.sqlite").write_bytes(b"no database" * 99)
    with pytest.raises(UserError, match="can't be read as ML Metadata"):
        store.trace(str(copy))

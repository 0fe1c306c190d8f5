"""A whole run leaves what it promises."""

import json
import os

import pytest

from kfer import runs as runs_lib
from kfer.data import dataset as dataset_lib
from kfer.data import datasets
from kfer.settings.config import experiment_config
from kfer.training import loop


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("data") / "faces")
    options = datasets.ReaderOptions(limit={"train": 32, "test": 16})
    datasets.make("synthetic_faces", "", folder, options)
    return folder


def history(run_dir):
    with open(os.path.join(run_dir, "history.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def test_a_run_leaves_its_results(data_dir, tmp_path):
    config = experiment_config(
        "synthetic_faces",
        method="vgg_all",
        width=0.125,
        batch_size=8,
        noise_size=8,
        embedding_size=64,
    )
    settings = loop.RunSettings(steps=4, eval_every=2, command="test")
    dataset = dataset_lib.load(data_dir)
    run_dir = str(tmp_path / "run")
    metrics = runs_lib.train(config, dataset, run_dir, settings)
    assert metrics["last"]["step"] == 4
    assert 0.0 <= metrics["last"]["test"]["expression"]["accuracy"] <= 1.0
    assert -1.0 <= metrics["last"]["test"]["valence_arousal"]["ccc"] <= 1.0
    assert [row["step"] for row in history(run_dir)] == [2, 4]
    # The losses of tasks add up to the loss: all weights are 1.
    for row in history(run_dir):
        parts = [v for k, v in row["train"].items() if k.endswith(("entropy", "/ccc"))]
        assert row["train"]["loss"] == pytest.approx(sum(parts), rel=1e-5)
    assert "step 4" in loop.summary(run_dir)
    # Once done, it has nothing left to do and says the same.
    assert runs_lib.train(config, dataset, run_dir, settings) == metrics

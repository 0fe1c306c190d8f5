"""A whole run leaves what it promises."""

import json
import os

import cv2
import numpy as np
import pytest

from kfer import runs as runs_lib
from kfer.data import dataset as dataset_lib
from kfer.data import record, shards
from kfer.settings.config import experiment_config
from kfer.training import compiling, loop, outcome
from kfer.training.checkpoints import Checkpoints
from tests import runs as small

STEPS = 60  # three times what the pictures of bright_and_dark need


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
    assert [row["step"] for row in history(run_dir)] == [2, 4]
    # The losses of tasks add up to the loss: all weights are 1.
    for row in history(run_dir):
        parts = [v for k, v in row["train"].items() if k.endswith(("entropy", "/ccc"))]
        assert row["train"]["loss"] == pytest.approx(sum(parts), rel=1e-5)
    assert "step 4" in outcome.summary(run_dir)
    # Once done, it has nothing left to do and says the same.
    assert runs_lib.train(config, dataset, run_dir, settings) == metrics


def bright_and_dark(root):
    """A data set whose brightness tells all: bright pictures are happy, dark ones sad,
    and valence and arousal follow it, with a little spread of its own."""
    rng = np.random.default_rng(0)
    columns, clean = small.dataset().columns, small.dataset().clean_columns

    def rows(split, count):
        for i in range(count):
            side = 1 if i % 2 else -1
            degree = side * rng.uniform(0.4, 0.9)
            grey = np.uint8(127 + 120 * degree)
            picture = cv2.imencode(".png", np.full((32, 32, 3), grey))[1].tobytes()
            kind = columns["annotator_1"].classes.index("happy" if i % 2 else "sad")
            truth = {"expression": kind, "valence_arousal": (degree, -degree)}
            labels = {c: truth["expression"] for c in columns if c.startswith("anno")}
            labels["valence_arousal"] = truth["valence_arousal"]
            yield record.Record(f"{split}-{i}", picture, labels, truth)

    splits = {"train": rows("train", 32), "test": rows("test", 16)}
    return dataset_lib.write(root, "toy", splits, columns, clean, image_size=32)


def ccc(truth, found):
    """[N] and [N] by the formula of the concordance correlation coefficient."""
    covariance = np.mean((truth - truth.mean()) * (found - found.mean()))
    apart = (truth.mean() - found.mean()) ** 2
    return 2 * covariance / (truth.var() + found.var() + apart)


def test_a_run_learns_what_brightness_tells(tmp_path):
    dataset = bright_and_dark(str(tmp_path / "toy"))
    config = small.config(method="vgg_all", learning_rate=5e-4, dropout_rate=0.0)
    settings = loop.RunSettings(steps=STEPS, eval_every=STEPS)
    run_dir = str(tmp_path / "run")
    scores = runs_lib.train(config, dataset, run_dir, settings)["last"]["test"]
    assert scores["expression"]["accuracy"] > 0.9  # chance is 0.5
    # What is scored is what the saved weights answer.
    method = compiling.compiled(config)
    Checkpoints(method, run_dir).restore()
    (path,) = dataset.files("test")
    records = [record.decode(serialized) for serialized in shards.read_shard(path)]
    images = np.stack([small.pixels(row.image) for row in records])
    found = method.answers(images.astype("f4") / 127.5 - 1)
    classes = np.argmax(found["expression"], axis=1)
    correct = [row.clean["expression"] for row in records] == classes
    assert scores["expression"]["accuracy"] == np.mean(correct)
    truth = np.array([row.clean["valence_arousal"] for row in records])
    values = found["valence_arousal"].numpy()
    expected = np.mean([ccc(truth[:, d], values[:, d]) for d in range(2)])
    assert scores["valence_arousal"]["ccc"] == pytest.approx(expected, abs=1e-4)

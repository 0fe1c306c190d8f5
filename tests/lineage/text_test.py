"""A lineage in words and as boxes, from steps made by hand."""

import json

import cv2
import pytest

from kfer.lineage import text
from kfer.lineage.store import Lineage, Step
from kfer.settings import config as config_lib

EXPERIMENT = config_lib.experiment_config("synthetic_faces")


@pytest.fixture
def lineage():
    noise = {
        "annotator_1": {"requested": 0.2, "achieved": 0.185, "compared": 200},
        "valence_arousal": {"rmse": [0.25, 0.125], "compared": 200},
    }
    examples = {
        "dataset": "synthetic_faces",
        "summary": "200 train, 50 test; wrong labels: annotator_1 18.5 %",
        "content_hash": "abc123",
        "commit": "c0ffee",
        "noise": json.dumps(noise),
        "uri": "/r/examples/1",
    }
    training = {
        "experiment": config_lib.to_dict(EXPERIMENT),
        "steps": 40,
        "code_version": "f00d",
    }
    scores = {
        "summary": "accuracy 50 %",
        "commit": "",
        "config_hash": "beef",
        "content_hash": "abc123",
        "versions": json.dumps({"kfer": "1.2", "tensorflow": "2.15.1"}),
    }
    steps = (
        Step(1, "reader", "p", 0, {}, {"Examples": examples}, ()),
        Step(
            2, "trainer", "p", 1000, {"custom_config": json.dumps(training)}, {}, (1,)
        ),
        Step(4, "judge", "p", 2000, {}, {"ModelEvaluation": scores}, (1, 2)),
        Step(9, "pusher", "p", 86_400_000, {}, {}, (2, 4)),
    )
    return Lineage("/m/1", "/r/metadata.sqlite", steps)


def test_text_names_what_made_it(lineage):
    lines = text.describe(lineage).splitlines()
    assert "pipeline   p, pusher on 1970-01-02 00:00:00 UTC" in lines
    assert "commit     not in git" in lines and "config     beef" in lines
    assert "packages   kfer 1.2, tensorflow 2.15.1" in lines
    assert "data set   synthetic_faces by reader: 200 train, 50 test" in lines
    assert "  hash     abc123" in lines and "  commit   c0ffee" in lines
    noise = "  labels   annotator_1: 18.50 % of 200 are wrong, 20.00 % were asked for"
    assert noise in lines
    assert "  labels   valence_arousal: RMSE 0.250, 0.125" in lines
    assert f"  config   {config_lib.config_hash(EXPERIMENT)}" in lines
    assert any("method joint, recipe kfer, 40 steps, seed 0" in line for line in lines)
    assert lines[-1].split() == ["9", "pusher", "<-", "trainer", "2,", "judge", "4"]


def test_layers_follow_the_longest_way(lineage):
    assert text.layers(lineage) == {1: 0, 2: 1, 4: 2, 9: 3}


def test_picture_has_a_column_a_layer(lineage, tmp_path):
    path = str(tmp_path / "lineage.png")
    text.draw(lineage, path)
    picture = cv2.imread(path)
    assert picture.shape[1] == 4 * 360
    # a box's colour stands in each of the four columns
    blue = (picture[..., 0] > picture[..., 2] + 5).any(axis=0)
    assert all(blue[360 * i : 360 * (i + 1)].any() for i in range(4))

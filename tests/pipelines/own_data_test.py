"""Anybody's ratings and pictures through the whole pipeline."""

import os

import cv2
import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import rewrite
from kfer.errors import UserError
from kfer.serving import model_folder
from kfer.training import run_folder
from pipelines import own_data, schemas
from pipelines.config import Declared
from tests.pipelines import tiny

SETTINGS = {"method": "vgg_all", "width": 0.125, "batch_size": 8, "image_size": 32}
PICTURES = 40


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of pictures, and beside it a long table with semicolons."""
    root = tmp_path_factory.mktemp("own")
    rng = np.random.default_rng(3)
    (root / "photos").mkdir()
    rows = ["photo;rater;mood;valence"]
    for i in range(PICTURES):
        pixels = rng.integers(0, 256, (40, 40, 3), np.uint8)
        cv2.imwrite(str(root / "photos" / f"{i}.png"), pixels)
        for rater in ("ann", "bob", "eve"):
            mood = ("bored", "engaged")[rng.integers(2)]
            rows.append(f"{i}.png;{rater};{mood};{rng.integers(1, 10)}")
    (root / "ratings.csv").write_text("\n".join(rows) + "\n")
    return root


def table(photos):
    return {
        "path": str(photos / "ratings.csv"),
        "labels": ["mood"],
        "scales": {"valence": [1, 9]},
    }


def described(photos, **arguments):
    return own_data.config_of(
        str(photos / "photos"), table(photos), settings=SETTINGS, steps=2, **arguments
    )


@pytest.fixture(scope="module")
def first(photos, tmp_path_factory):
    """(root, result and lines of a run on the table)."""
    root = tmp_path_factory.mktemp("root")
    data = str(photos / "photos")
    return root, tiny.run(described(photos), root, data)


def test_the_data_say_what_is_learned(photos):
    found = described(photos)
    assert isinstance(found.experiment, Declared) and found.minimum == ()
    columns, clean = found.columns()
    names = {f"annotator_{r}_{t}" for r in ("ann", "bob", "eve") for t in ("mood",)}
    assert names < set(columns) and not clean
    assert 'name: "label/annotator_ann_mood"' in schemas.text_of(found)
    said = own_data.understood(str(photos / "photos"), table(photos))
    assert "layout: long, one row a rating; 3 annotators (ann, bob, eve)" in said
    narrowed = described(photos, names=["mood"], minimum={"mood/accuracy": 0.1})
    assert narrowed.minimum == (("mood/accuracy", 0.1),)


def test_a_table_becomes_a_model_that_serves(first):
    root, (result, lines) = first
    data = dataset_lib.load(result.output("face_example_gen", "examples"))
    total = sum(info.num_records for info in data.splits.values())
    assert total + sum(data.rejected.values()) == PICTURES
    config = run_folder.load_config(result.output("trainer_vgg_all", "model_run"))
    assert {task.target for task in config.tasks} == {"mood", "valence"}
    assert config.name == "own_data" and config.image_size == 32
    assert result.model == str(root / "models" / "own_data" / "1")
    described_ = model_folder.read_description(result.model)
    assert described_["details"]["data"] == data.content_hash
    # No truth: the test labels are what there is, and it is said.
    assert "agreement with annotators" in lines["fer_evaluator"][1]


def test_the_second_run_is_cached(photos, first):
    root, (result, _) = first
    _, again = tiny.run(described(photos), root, str(photos / "photos"))
    assert tiny.cached(again) == [n for n in result.nodes if n != "last_blessed"]


@pytest.mark.slow
def test_prepared_data_without_a_test_split(first, tmp_path):
    """In the same root: other columns than last time, and nothing to compare with."""
    root, (result, _) = first
    before = dataset_lib.load(result.output("face_example_gen", "examples"))
    kept = {n: c for n, c in before.columns.items() if n.endswith("mood")}
    records = [
        r._replace(labels={n: v for n, v in r.labels.items() if n in kept})
        for r in rewrite.records(before, "train")
    ]
    data = str(tmp_path / "data")
    made = dataset_lib.write(
        data, "moods", {"train": records}, kept, {}, image_size=before.image_size
    )
    prepared = own_data.config_of(data, settings=SETTINGS, steps=2)
    second, lines = tiny.run(prepared, root, data)
    copy = dataset_lib.load(second.output("face_example_gen", "examples"))
    assert copy.content_hash == made.content_hash
    assert lines["fer_evaluator"][1].startswith("no score: there is no truth and no")
    assert second.model == str(root / "models" / "own_data" / "2")
    assert lines["trainer_vgg_all"][1] == "trained"
    asked = own_data.config_of(
        data, settings=SETTINGS, steps=2, minimum={"mood/accuracy": 0.1}
    )
    refused, lines = tiny.run(asked, root, data)
    assert not refused.model
    assert "mood/accuracy can't be had: nothing to compare" in lines["model_pusher"][1]


def test_what_is_refused(photos, tmp_path):
    with pytest.raises(UserError, match="own_data needs a --data_dir"):
        own_data.config_of("")
    with pytest.raises(UserError, match="There are no labels 'joy' in"):
        described(photos, names=["joy"])
    with pytest.raises(UserError, match="No score is called 'mood/ccc'"):
        described(photos, minimum={"mood/ccc": 0.1})
    with pytest.raises(UserError, match="Unknown method 'magic'"):
        own_data.config_of(str(photos), settings={"method": "magic"})
    (tmp_path / "dataset.json").write_text("{}")
    with pytest.raises(
        UserError, match="is a prepared data set, taken as it is; leave"
    ):
        own_data.config_of(str(tmp_path), limit={"train": 3})
    assert os.path.isdir(photos)

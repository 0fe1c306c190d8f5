"""A crowd column from shards to batches and triples."""

import dataclasses

import numpy as np
import pytest

from kfer.crowd import majority
from kfer.crowd.triples import Triples
from kfer.data import (
    crowds,
    input_pipeline,
    label_schema,
    labels,
    own_data,
    rewrite,
    shards,
    verification,
)
from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.preprocess import inspect
from kfer.settings.config import ExperimentConfig
from tests.data import crowded


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return crowded.write(tmp_path_factory.mktemp("crowd") / "set")


def serialized(data):
    return [s for path in data.files("train") for s in shards.read_shard(path)]


def test_dataset_json_declares_and_counts(data):
    info = data.splits["train"]
    assert data.columns["mood"].annotators == crowded.PEOPLE
    assert (data.columns["mood"].longest, data.columns["point"].longest) == (3, 2)
    assert info.given == {"label/mood": 3, "label/point": 2, "clean/truth": 4}
    assert info.class_counts["label/mood"] == (2, 2, 2)
    # Of six labels 1 1 0 | 2 0 | 2 against 1, 0 and 2: the third and fourth are wrong.
    assert data.noise["train"]["mood"]["compared"] == 6
    assert data.noise["train"]["mood"]["achieved"] == pytest.approx(2 / 6)
    verification.verify(data)


def test_another_copy_has_the_same_bytes(data, tmp_path):
    other = crowded.write(tmp_path / "other")
    assert other.content_hash == data.content_hash
    moved = rewrite.with_splits(data, lambda *_: "valid", str(tmp_path / "moved"), {})
    found = [r.labels for r in rewrite.records(moved, "valid")]
    assert found == [r.labels for r in rewrite.records(data, "train")]
    assert moved.columns == data.columns


def test_more_annotators_than_declared_are_refused(tmp_path):
    few = {"mood": dataclasses.replace(crowded.MOOD, annotators=("ann", "bob"))}
    one = [
        r._replace(labels={"mood": r.labels["mood"]})
        for r in list(crowded.records())[:1]
    ]
    with pytest.raises(
        UserError, match=r"Record p0: mood has annotator 2, not in 0..1"
    ):
        dataset_lib.write(str(tmp_path / "x"), "x", {"train": one}, few, crowded.CLEAN)


def test_parsed_labels_by_hand(data):
    columns = {f"label/{name}": data.columns[name] for name in ("mood", "point")}
    found = labels.parse(serialized(data), columns)
    np.testing.assert_array_equal(
        found["crowd/mood/annotator"], [[0, 2, 4], [1, 3, -1], [3, -1, -1], [-1] * 3]
    )
    np.testing.assert_array_equal(
        found["crowd/mood/label"], [[1, 1, 0], [2, 0, 0], [2, 0, 0], [0] * 3]
    )
    np.testing.assert_array_equal(
        found["crowd/mood/mask"], [[1, 1, 1], [1, 1, 0], [1, 0, 0], [0] * 3]
    )
    vote = found["label/mood"].numpy()
    assert vote[0] == 1 and vote[1] in (0, 2) and vote[2] == 2 and vote[3] == -1
    np.testing.assert_allclose(
        found["label/point"], [[2, 3], [np.nan] * 2, [np.nan] * 2, [9, 0]]
    )
    np.testing.assert_array_equal(found["crowd/point/label"][0], [[1, 2], [3, 4]])


def test_ties_are_drawn_as_the_crowd_room_draws_them():
    import tensorflow as tf

    pictures = tf.constant([str(i) for i in range(500)])
    two = np.tile([0, 2], (500, 1))
    said = crowds.CrowdLabels(
        tf.constant([[0, 1]] * 500), tf.constant(two), tf.ones((500, 2))
    )
    found = crowds.one_label(said, crowded.MOOD, pictures).numpy()
    keys = tf.strings.to_hash_bucket_fast(pictures, 1 << 31).numpy()
    triples = Triples.of_sets(two.T, 3)
    np.testing.assert_array_equal(found, majority.drawn(triples, keys))
    assert 0.4 < np.mean(found == 0) < 0.6


def test_batches_have_one_label_and_who_said_what(data):
    tasks = own_data.tasks_of(data)
    assert [(t.name, t.target) for t in tasks] == [
        ("mood", "truth"),
        ("point", "point"),
    ]
    config = ExperimentConfig("t", "crowded", tasks, batch_size=4)
    batch = next(iter(input_pipeline.train_dataset(data, config)))
    order = np.argsort(batch.index)
    mood = batch.crowd["mood"]
    np.testing.assert_array_equal(mood.annotator.numpy()[order][0], [0, 2, 4])
    np.testing.assert_array_equal(batch.mask["mood"].numpy()[order], [1, 1, 1, 0])
    assert batch.labels["mood"].numpy()[order][0] == 1
    assert mood.label.shape == (4, 3) and batch.crowd["point"].label.shape == (4, 2, 2)
    # The same from a stream instead of memory.
    streamed = input_pipeline.train_dataset(data, config, memory_budget=0)
    other = next(iter(streamed))
    order_ = np.argsort(other.index)
    for one, two in zip(mood, other.crowd["mood"], strict=True):
        np.testing.assert_array_equal(one.numpy()[order], two.numpy()[order_])


def test_a_task_without_a_crowd_has_none(data):
    tasks = own_data.tasks_of(data, ["mood"])
    features = labels.parse(serialized(data), {"label/truth": crowded.CLEAN["truth"]})
    plain = dataclasses.replace(tasks[0], column="truth")
    columns = {"label/truth": crowded.CLEAN["truth"]}
    assert labels.training_crowds(features, [plain], columns) == {}


def test_triples_of_a_split(data):
    found = crowds.triples(data, "train", "mood")
    ids = [record.image_id for record in rewrite.records(data, "train")]
    said = {
        (ids[i], a, label)
        for i, a, label in zip(found.item, found.annotator, found.label, strict=True)
    }
    expected = {(f"p{i}", a, v) for i, row in enumerate(crowded.MOODS) for a, v in row}
    assert said == expected
    assert (found.num_items, found.num_annotators, found.num_classes) == (4, 5, 3)
    x, y = crowds.triples(data, "train", "point")
    assert sorted(zip(x.value, y.value, strict=True)) == [(1, 2), (3, 4), (9, 0)]
    with pytest.raises(UserError, match=r"no crowd column 'truth'; it has mood, point"):
        crowds.triples(data, "train", "truth")


def test_the_schema_has_both_lists(data):
    found = label_schema.features(data.columns, data.clean_columns)
    assert set(found) == {
        "clean/truth",
        *(
            f"crowd/{c}/{part}"
            for c in ("mood", "point")
            for part in ("annotator", "label")
        ),
    }
    text = label_schema.schema_text(data.columns, data.clean_columns)
    assert 'name: "crowd/mood/annotator"' in text and "max: 10" in text


def test_the_page_names_people(data, tmp_path):
    page = inspect.write_page(data.root, out_path=str(tmp_path / "page.html"))
    with open(page, encoding="utf-8") as file:
        text = file.read()
    assert "mood by 3: ann engaged, José engaged, eve bored" in text

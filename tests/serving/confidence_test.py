import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from kfer.data import record, shards
from kfer.errors import UserError
from kfer.metrics import calibration
from kfer.serving import confidence, signatures
from tests import runs


def records(split):
    return [
        record.decode(serialized)
        for path in runs.dataset().files(split)
        for serialized in shards.read_shard(path)
    ]


def probabilities(split):
    images = np.stack([runs.pixels(one.image) for one in records(split)])
    return runs.answering().answers(images.astype("f4") / 127.5 - 1)["expression"]


def calibrate(split, dataset=None):
    config = runs.run_config()
    return confidence.calibrate(
        runs.answering(), config, dataset or runs.dataset(), split
    )


def test_by_default_the_labels_that_were_learned_are_used():
    found = calibrate(confidence.AUTO)
    assert list(found) == ["expression"]
    sets = [
        [one.labels[f"annotator_{i}"] for one in records("train")] for i in (1, 2, 3)
    ]
    wanted = calibration.calibrate(probabilities("train").numpy(), np.array(sets))
    row = found["expression"]
    assert row["temperature"] == pytest.approx(wanted.temperature, rel=1e-3)
    assert row["errors"] == pytest.approx(list(wanted.errors))
    assert row["ece_before"] == pytest.approx(wanted.ece_before, abs=1e-4)
    assert (row["split"], row["num_examples"]) == ("train", 24)
    assert row["labels"] == [f"label/annotator_{i}" for i in (1, 2, 3)]
    assert "on 24 examples of train (label/annotator_1, " in confidence.describe(found)
    assert confidence.temperatures(found) == {"expression": row["temperature"]}


def test_held_out_labels_come_first():
    dataset = runs.dataset()
    splits = dataset.splits | {"valid": dataset.splits["train"]}
    found = calibrate("auto", dataclasses.replace(dataset, splits=splits))
    assert found["expression"]["split"] == "valid"
    # A split with nothing but the truth is not taken unasked.
    splits = dataset.splits | {"valid": dataset.splits["test"]}
    found = calibrate("auto", dataclasses.replace(dataset, splits=splits))
    assert found["expression"]["split"] == "train"


def test_few_held_out_labels_decide_nothing_unasked(monkeypatch):
    dataset = runs.dataset()
    few = dataset.splits["train"]
    few = dataclasses.replace(few, given=dict.fromkeys(few.given, 19))
    changed = dataclasses.replace(dataset, splits=dataset.splits | {"valid": few})
    assert calibrate("auto", changed)["expression"]["split"] == "train"
    warned = []
    monkeypatch.setattr(confidence.logging, "warning", lambda *row: warned.append(row))
    monkeypatch.setattr(confidence, "FEWEST", 25)  # train has 24
    assert calibrate("auto") == {}
    assert "24 examples of train with a label are too few" in str(warned[0][2])
    assert calibrate("train")["expression"]["num_examples"] == 24


def test_the_truth_is_used_when_its_split_is_named():
    row = calibrate("test")["expression"]
    truth = np.array([[one.clean["expression"] for one in records("test")]])
    wanted = calibration.calibrate(probabilities("test").numpy(), truth)
    assert row["temperature"] == pytest.approx(wanted.temperature, rel=1e-3)
    assert row["labels"] == ["clean/expression"] and row["errors"] == [0.0]


def test_none_fits_nothing_and_an_unknown_split_is_named():
    assert calibrate("none") == {}
    assert confidence.temperatures({}) == confidence.temperatures(None) == {}
    with pytest.raises(UserError, match="no examples in a split 'other'"):
        calibrate("other")


def test_a_split_without_labels_is_refused():
    dataset = runs.dataset()
    bare = dataclasses.replace(dataset.splits["test"], given={})
    changed = dataclasses.replace(dataset, splits=dataset.splits | {"test": bare})
    with pytest.raises(UserError, match="no label to calibrate the confidence with"):
        calibrate("test", changed)


def test_labels_of_no_use_are_warned_of_unless_they_were_asked_for(monkeypatch):
    def refuse(*_):
        raise UserError("they agree by chance")

    monkeypatch.setattr(calibration, "calibrate", refuse)
    warned = []
    monkeypatch.setattr(confidence.logging, "warning", lambda *row: warned.append(row))
    assert calibrate("auto") == {}
    assert warned[0][1] == "expression" and "by chance" in str(warned[0][2])
    with pytest.raises(UserError, match="by chance"):
        calibrate("train")


def test_a_label_set_that_stands_alone_is_warned_of_once(monkeypatch):
    warned = []
    monkeypatch.setattr(confidence.logging, "warning", lambda *row: warned.append(row))
    sets = np.array([[0, 0, 1, 1, -1], [0, 0, 1, 0, -1], [-1, -1, -1, -1, 1]])
    rows = {"mood": np.full((5, 2), 0.5), "a": sets[0], "b": sets[1], "c": sets[2]}
    row = confidence._fit(rows, "mood", ["a", "b", "c"])
    # a and b agree on three of four: c = 0.5, e = (1 - sqrt(0.5)) / 2.
    assert row["errors"] == pytest.approx([0.146447, 0.146447, 0], abs=1e-6)
    ((text, *names),) = warned
    assert names == ["mood", "c"] and "taken to be always right" in text
    # Two that share examples, and one label set by itself, which has no other.
    confidence._fit(rows, "mood", ["a", "b"])
    assert confidence._fit(rows, "mood", ["c"])["errors"] == [0]
    assert len(warned) == 1


def test_large_splits_are_thinned_out_evenly(monkeypatch):
    monkeypatch.setattr(confidence, "MAX_EXAMPLES", 10)
    # 24 records: every third.
    row = calibrate("train")["expression"]
    assert row["num_examples"] == 8
    sets = np.array(
        [[r.labels[f"annotator_{i}"] for r in records("train")[::3]] for i in (1, 2, 3)]
    )
    assert row["errors"] == pytest.approx(list(calibration.error_rates(sets, 7)))


def test_the_graph_scales_as_numpy_does():
    values = np.random.default_rng(0).dirichlet(np.full(7, 0.2), 50).astype(np.float32)
    values[0] = [0, 0, 1, 0, 0, 0, 0]
    for temperature in (0.3, 1.0, 2.5):
        found = signatures.tempered(tf.constant(values), temperature)
        wanted = calibration.scaled(values.astype(np.float64), temperature)
        np.testing.assert_allclose(found, wanted, atol=2e-6)

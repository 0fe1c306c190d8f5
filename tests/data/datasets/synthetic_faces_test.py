import json

import numpy as np
import pytest

from kfer import tasks
from kfer.data import drawn_faces as faces
from kfer.data.datasets import ReaderOptions, synthetic_faces
from kfer.data.labels import column_of
from kfer.errors import UserError
from kfer.noise import flips


def options(train=20, test=10, **fields):
    return ReaderOptions(limit={"train": train, "test": test}, **fields)


def read(**fields):
    return list(synthetic_faces.read("", options(**fields)))


def test_splits_and_ids():
    examples = read()
    assert [e.split for e in examples] == ["train"] * 20 + ["test"] * 10
    assert len({e.image_id for e in examples}) == 30
    assert examples[0].image_id == "train-00000"
    assert examples[20].source == "synthetic_faces:seed=0:face=1000000"


def test_training_faces_have_no_truth_and_test_faces_no_noise():
    for example in read():
        if example.split == "train":
            assert sorted(example.labels) == sorted(synthetic_faces.columns(options()))
            assert example.clean == {}
        else:
            assert example.labels == {}
            assert sorted(example.clean) == ["expression", "valence_arousal"]


def test_labels_fit_their_columns():
    declared = synthetic_faces.columns(options())
    clean = synthetic_faces.clean_columns(options())
    for example in read():
        for name, value in example.labels.items():
            assert declared[name].problem(value) == "", name
        for name, value in example.clean.items():
            assert clean[name].problem(value) == "", name


def test_the_columns_are_those_of_the_experiment():
    from kfer.settings.config import EXPERIMENTS

    for task in EXPERIMENTS["synthetic_faces"].tasks:
        column_of(task, synthetic_faces.columns(options()), task.column)
        column_of(task, synthetic_faces.clean_columns(options()), task.target)


def test_a_face_does_not_depend_on_the_others():
    few, many = read(train=3, test=2), read(train=8, test=4)
    np.testing.assert_array_equal(few[2].image, many[2].image)
    assert few[2].labels == many[2].labels
    np.testing.assert_array_equal(few[4].image, many[9].image)
    assert few[4].clean == many[9].clean
    other = read(train=3, test=2, seed=1)
    assert np.any(other[0].image != few[0].image)


def test_truth_and_landmarks_are_those_of_the_drawn_face():
    example = read(train=1, test=3, image_size=48)[3]
    face = faces.sample_face(faces.face_rng(0, 1_000_002))
    assert example.clean["expression"] == face.label
    assert example.clean["valence_arousal"] == faces.valence_arousal(face)
    assert example.eyes == faces.eyes(face, 48) and example.box == faces.box(face, 48)
    np.testing.assert_array_equal(example.image, faces.draw(face, 48))


def test_noise_is_what_was_asked_for():
    chosen = options(train=1500)
    summary = synthetic_faces.noise_summary(chosen)
    for name, rate in (
        ("annotator_1", 0.2),
        ("annotator_2", 0.3),
        ("annotator_3", 0.4),
    ):
        # Standard deviation at most sqrt(0.24 / 1500) = 0.0126.
        assert summary[name]["requested"] == rate
        assert abs(summary[name]["achieved"] - rate) < 0.05
        assert summary[name]["compared"] == 1500
        assert np.shape(summary[name]["confusion"]) == (7, 7)
    assert summary["majority"]["achieved"] < summary["annotator_1"]["achieved"]
    values = summary["valence_arousal"]
    # Standard deviations 0.15, 0.20, 0.25 and biases up to 0.10: about 0.21 in all.
    assert values["rmse"] == pytest.approx([0.22, 0.21], abs=0.03)
    assert all(0.6 < ccc < 0.95 for ccc in values["ccc"])
    json.dumps(summary, allow_nan=False)


def test_the_summary_is_of_the_labels_that_are_read():
    chosen = options(train=60, test=0)
    given = [e.labels["annotator_3"] for e in synthetic_faces.read("", chosen)]
    truth = [faces.sample_face(faces.face_rng(0, i)).label for i in range(60)]
    assert synthetic_faces.noise_summary(chosen)["annotator_3"]["achieved"] == (
        flips.noise_rate(np.array(given), np.array(truth))
    )


def test_rates_and_number_of_annotators_are_options():
    chosen = options(flip_rates=(0.0, 0.1))
    assert list(synthetic_faces.columns(chosen)) == [
        "annotator_1",
        "annotator_2",
        "valence_arousal",
    ]
    assert synthetic_faces.requested_noise(chosen) == {
        "annotator_1": 0.0,
        "annotator_2": 0.1,
    }
    summary = synthetic_faces.noise_summary(chosen)
    assert summary["annotator_1"]["achieved"] == 0.0


def test_annotators_do_not_err_together():
    rows = [synthetic_faces.annotated(options(), i) for i in range(800)]
    wrong = np.array([[g != row.params.label for g in row.given] for row in rows])
    # Errors depend on the class alone, so their correlation is weak.
    correlation = np.corrcoef(wrong.T)
    assert np.all(np.abs(correlation[np.triu_indices(3, 1)]) < 0.2)


def test_classes_are_named_as_in_the_tasks():
    assert (
        synthetic_faces.clean_columns(options())["expression"].classes
        == tasks.expression_task().classes
    )


def test_default_size_and_bounds():
    assert synthetic_faces.count(ReaderOptions(), "train") == 4000
    assert synthetic_faces.count(ReaderOptions(), "test") == 1000
    assert synthetic_faces.count(options(test=0), "test") == 0
    with pytest.raises(
        UserError, match="^0 train faces leave nothing to learn from; as"
    ):
        next(synthetic_faces.read("", options(train=0)))
    with pytest.raises(UserError, match="At most 1000000 train faces"):
        synthetic_faces.count(options(train=1_000_001), "train")
    assert synthetic_faces.noise_summary(options(train=0)) == {}


def test_a_sparse_crowd_leaves_labels_out():
    examples = read(crowd="sparse", train=60, test=1)
    names = [f"annotator_{i}" for i in range(1, 6)]
    given = [[n for n in names if n in e.labels] for e in examples[:60]]
    assert {len(found) for found in given} == {2}
    summary = synthetic_faces.noise_summary(options(crowd="sparse", train=60))
    compared = {name: summary[name]["compared"] for name in names}
    assert compared == {n: sum(n in found for found in given) for n in names}
    assert sum(compared.values()) == 120 and summary["majority"]["compared"] == 60


def test_judges_have_a_column_of_values_each():
    chosen = options(crowd="judges", train=40)
    names = [f"valence_arousal_{i}" for i in (1, 2, 3)]
    columns = synthetic_faces.columns(chosen)
    assert list(columns)[3:] == names
    assert {columns[name].target for name in names} == {"valence_arousal"}
    face, plain = (
        next(iter(synthetic_faces.read("", o))) for o in (chosen, options(train=1))
    )
    # Classes are those of the crowd `habits`.
    given = {name: label for name, label in face.labels.items() if name not in names}
    assert given.items() <= plain.labels.items() and len(given) == 3
    assert len({face.labels[name] for name in names}) == 3
    summary = synthetic_faces.noise_summary(chosen)
    assert summary[names[0]]["bias"][0] > 0.1 > abs(summary[names[2]]["bias"][0])
    assert summary[names[1]]["rmse"][1] > 2 * summary[names[2]]["rmse"][1]

"""Drawn RAF-base and AffectNet-base: what is true, what is labelled and by whom."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.data import dataset as dataset_lib
from kfer.data import labels, rewrite
from kfer.errors import UserError
from kfer.experiments import drawn_faces, face_domains
from kfer.noise import continuous
from kfer.settings import config as config_lib
from kfer.training import compiling
from tests import runs

NAMES = tuple(drawn_faces.BASES)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Both bases with 64 training and 20 test faces, after 2 steps of the teacher."""
    root = tmp_path_factory.mktemp("bases")
    return {
        name: drawn_faces.make(name, str(root / name), 64, 20, steps=2, command="c")
        for name in NAMES
    }


def records(dataset, split):
    return list(rewrite.records(dataset, split))


@pytest.mark.parametrize("name", NAMES)
def test_test_faces_have_the_truth_alone(made, name):
    domain = drawn_faces.BASES[name].own
    found = records(made[name], "test")
    assert len(found) == 20
    for index, face in enumerate(found):
        drawn = face_domains.example(domain, "test", index, seed=0)
        assert face.labels == {} and face.image_id == drawn.image_id
        assert face.clean["expression"] == drawn.clean["expression"]
        np.testing.assert_allclose(
            face.clean["valence_arousal"], drawn.clean["valence_arousal"], atol=1e-6
        )


@pytest.mark.parametrize("name", NAMES)
def test_training_faces_keep_their_truth_beside_the_labels(made, name):
    base = drawn_faces.BASES[name]
    found = records(made[name], "train")
    assert len(found) == 64
    for index, face in enumerate(found):
        drawn = face_domains.example(base.own, "train", index, seed=0)
        assert sorted(face.labels) == ["expression", "majority", "valence_arousal"]
        assert face.labels["majority"] == face.labels["expression"]
        assert face.clean["expression"] == drawn.clean["expression"]
        # AffectNet's values are its people's; RAF's are the teacher's.
        same = np.allclose(
            face.labels["valence_arousal"], drawn.labels["valence_arousal"], atol=1e-6
        )
        assert same == (name == "affectnet_base")


@pytest.mark.parametrize("name", NAMES)
def test_the_noise_is_that_of_the_records(made, name):
    found, noise = records(made[name], "train"), made[name].noise["train"]
    wrong = sum(f.labels["expression"] != f.clean["expression"] for f in found)
    assert 0 < wrong < 64
    for column in ("expression", "majority"):
        row = noise[column]
        assert (row["achieved"], row["compared"]) == (wrong / 64, 64)
        confusion, truth = np.array(row["confusion"]), np.zeros((7, 7))
        for face in found:
            truth[face.clean["expression"], face.labels["expression"]] += 1
        counts = truth.sum(1)
        np.testing.assert_allclose(confusion * counts[:, None], truth)
    values = continuous.achieved(
        *(
            np.array([getattr(f, part)["valence_arousal"] for f in found])
            for part in ("labels", "clean")
        )
    )
    assert noise["valence_arousal"]["rmse"] == pytest.approx(values["rmse"])
    assert "test" not in made[name].noise


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_scores_are_the_teachers(made, name):
    dataset = made[name]
    method, config, step = compiling.restored(f"{dataset.root}_teacher/run")
    assert (step, config.name) == (2, drawn_faces.BASES[name].experiment)
    assert config.method == "vgg_all" and config.image_size == 32

    def answers(faces):
        pixels = np.stack([runs.pixels(face.image) for face in faces])
        found = method.answers(tf.constant(pixels / 127.5 - 1, tf.float32))
        return {target: value.numpy() for target, value in found.items()}

    train, test = records(dataset, "train"), records(dataset, "test")
    found = answers(train)
    classes = found["expression"].argmax(1).tolist()
    assert [face.labels["expression"] for face in train] == classes
    if name == "raf_base":
        given = np.array([face.labels["valence_arousal"] for face in train])
        values = np.clip(found["valence_arousal"], -1, 1)
        np.testing.assert_allclose(given, values, atol=1e-4)
        assert np.ptp(given, axis=0).min() > 1e-3  # or their order would not show
    right = answers(test)["expression"].argmax(1) == [
        face.clean["expression"] for face in test
    ]
    scores = dataset.notes["labeller"]["expression"]
    assert scores["accuracy"] == pytest.approx(np.mean(right))


def test_the_teacher_learns_its_own_peoples_labels(made):
    teacher = dataset_lib.load(f"{made['raf_base'].root}_teacher/affectnet")
    for face in records(teacher, "train"):
        assert face.labels["expression"] == face.clean["expression"]
        assert face.labels["valence_arousal"] != face.clean["valence_arousal"]
    # The pictures that one model learns from are those that the other's labels are for.
    hashes = [
        dataset_lib.load(f"{made[name].root}_teacher/affectnet").content_hash
        for name in NAMES
    ]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("experiment", "name"),
    [
        ("raf_multi", "raf_base"),
        ("raf_single", "raf_base"),
        ("affectnet_multi", "affectnet_base"),
        ("affectnet_single_expression", "affectnet_base"),
        ("affectnet_single_va", "affectnet_base"),
    ],
)
def test_the_columns_are_those_of_the_experiments(made, experiment, name):
    for method in ("joint", "vgg_all", "vgg_majority", "vgg_clean"):
        config = config_lib.experiment_config(experiment, method=method)
        tasks = methods.resolve_tasks(config).tasks
        assert len(labels.training_columns(made[name], tasks, "train")) == len(tasks)
        assert len(labels.target_columns(made[name], tasks, "test")) == len(tasks)


def test_made_again_it_is_the_same(made, tmp_path):
    first = made["affectnet_base"]
    again = drawn_faces.make("affectnet_base", first.root, 64, 20, steps=2)
    assert again == first
    # Without the result, the teacher that was trained labels once more.
    shutil.copytree(f"{first.root}_teacher", tmp_path / "new_teacher")
    new = drawn_faces.make("affectnet_base", str(tmp_path / "new"), 64, 20, steps=2)
    assert new.content_hash == first.content_hash
    with pytest.raises(
        UserError, match="affectnet_base holds affectnet_base made with"
    ):
        drawn_faces.make("affectnet_base", first.root, 64, 20, seed=1, steps=2)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("raf", "out"), "Unknown base 'raf'; known: raf_base, affectnet_base"),
        (("raf_base", "out", 0), "num_train 0 and num_test 2000 must be in 1..1000000"),
        (("raf_base", "out", 9, 9, 0, 0), "and steps 0 above 0"),
    ],
)
def test_what_is_refused(tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=text):
        drawn_faces.make(*arguments)
    assert os.listdir(tmp_path) == []


def test_a_teacher_of_more_steps_is_no_teacher_of_fewer(made, tmp_path):
    path = str(tmp_path / "fewer")
    shutil.copytree(f"{made['affectnet_base'].root}_teacher", f"{path}_teacher")
    with pytest.raises(UserError, match="has learned for 2 steps, asked for are 1"):
        drawn_faces.make("affectnet_base", path, 64, 20, steps=1)
    assert not os.path.exists(path)

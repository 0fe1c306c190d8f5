"""S_joint of given labels: against the discriminator's own call, and drops by hand."""

import numpy as np
import pytest
import tensorflow as tf

from kfer.audit import joint_score
from kfer.audit.label_sets import LabelSets
from kfer.data import record
from kfer.errors import UserError
from kfer.models.discriminator import JOINT, Group

CLASSES = ("a", "b", "c")


def sets(classes=CLASSES):
    columns = {"annotator_1": record.categorical("annotator_1", classes)}
    columns["valence_arousal"] = record.valence_arousal()
    labels = {
        "annotator_1": np.array([2, -1, 0]),
        "valence_arousal": np.array([[0.5, -1], [0.1, 0.2], [np.nan, 0]]),
    }
    return LabelSets(list("xyz"), labels, {}, columns, {})


def test_inputs_are_those_of_training(joint):
    found = joint_score.inputs(joint.config.stream_tasks, sets())
    one_hot = [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(found["annotator_1"], one_hot)
    values = np.array([[0.5, -1], [0.1, 0.2], [0, 0]], np.float32)
    np.testing.assert_array_equal(found["valence_arousal"], values)
    assert found["annotator_1"].dtype == np.float32


def test_a_column_that_is_not_there_counts_as_missing(joint):
    one = sets()
    del one.columns["annotator_1"]
    found = joint_score.inputs(joint.config.stream_tasks, one)
    np.testing.assert_array_equal(found["annotator_1"], np.zeros((3, 3)))
    with pytest.raises(UserError, match="'annotator_1' of this data set has"):
        joint_score.inputs(joint.config.stream_tasks, sets(("a", "b", "d")))


def test_scores_are_the_discriminators(joint):
    images = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    labels = joint_score.inputs(joint.config.stream_tasks, sets())
    found = joint_score.scorer(joint)(images, labels)
    output = joint.encoder(images)

    def score(**changed):
        group = Group(tf.constant(images), output.mean, {**labels, **changed})
        return joint.discriminator(group)[0].by_stream[JOINT]

    np.testing.assert_allclose(found[joint_score.GIVEN], score(), atol=1e-5)
    assert found["annotator_1"].shape == (3, 3)
    for index in range(3):
        all_one = np.tile(np.eye(3, dtype=np.float32)[index], (3, 1))
        expected = score(annotator_1=all_one)
        np.testing.assert_allclose(found["annotator_1"][:, index], expected, atol=1e-5)
    expected = score(valence_arousal=output.labels["valence_arousal"])
    np.testing.assert_allclose(found["valence_arousal"][:, 0], expected, atol=1e-5)
    # The scores do tell labels apart.
    assert np.ptp(found["annotator_1"], axis=1).min() > 1e-5


def test_a_projection_is_high_where_labels_fit(tiny_config, make_method):
    options = {"joint_score": "projection", "method": "without_gx"}
    method = make_method(tiny_config(**options))
    tasks = method.config.stream_tasks
    for task in tasks:
        kernel = method.discriminator.label_fit.maps[task.name].kernel
        kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
    images = np.random.default_rng(0).uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    labels = joint_score.inputs(tasks, sets())
    found = joint_score.scorer(method)(images, labels)
    output, seen = method.encoder(images), method.encoder.features(images, None)

    def score(**changed):
        group = Group(images, output.mean, {**labels, **changed}, seen)
        return -method.discriminator(group)[0].by_stream[JOINT]

    np.testing.assert_allclose(found[joint_score.GIVEN], score(), atol=1e-5)
    second = np.tile(np.eye(3, dtype=np.float32)[1], (3, 1))
    expected = score(annotator_1=second)
    np.testing.assert_allclose(found["annotator_1"][:, 1], expected, atol=1e-5)
    expected = score(valence_arousal=output.labels["valence_arousal"])
    np.testing.assert_allclose(found["valence_arousal"][:, 0], expected, atol=1e-5)


def test_drops_by_hand(joint):
    classes, values = joint.config.stream_tasks
    scores = {
        "given": np.array([1.0, 1.0, 3.0]),
        "annotator_1": np.array([[0.5, 1.5, 1.0], [9, 9, 9], [3.0, 1.0, 2.5]]),
        "valence_arousal": np.array([[1.25], [0.5], [3]]),
    }
    one = sets()
    found = joint_score.drops(scores, classes, one.labels["annotator_1"])
    np.testing.assert_allclose(found, [0.5, np.nan, -0.5])
    found = joint_score.drops(scores, values, one.labels["valence_arousal"])
    np.testing.assert_allclose(found, [0.25, -0.5, np.nan])
    assert scores["annotator_1"][0, 2] == 1.0  # nothing is changed in place


def test_available(joint):
    assert joint_score.available(joint)
    assert not joint_score.available(object())

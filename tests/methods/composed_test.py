"""Every part of a composed method does what its own row does."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from kfer import methods
from kfer.errors import UserError
from kfer.methods import base, composed
from kfer.methods.joint_distribution import JointDistribution
from kfer.methods.ltnet import LatentTruth
from kfer.methods.sce import SymmetricCrossEntropy
from kfer.noise import transition
from tests.methods import toys


@pytest.fixture
def build(tiny_config, monkeypatch):
    """A method of mixed tasks on stub encoders, whose start is always the same."""
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)

    def make(name, **fields):
        tf.keras.utils.set_random_seed(0)
        return methods.build(toys.mixed_config(tiny_config, name, **fields))

    return make


@pytest.fixture
def batch_of(make_batch):
    def make(method):
        run = method.config
        made = make_batch(run, missing={run.tasks[0].name: (0, 5)})
        return tf.nest.map_structure(tf.constant, made)

    return make


def test_the_class_of_parts():
    found = composed.of(("joint", "ltnet", "sce"))
    assert composed.of(("joint", "ltnet", "sce")) is found
    parents = (JointDistribution, LatentTruth, SymmetricCrossEntropy)
    assert issubclass(found, parents) and found.mro()[2] is JointDistribution


def test_sce_through_matrices_by_numpy(build, batch_of):
    method = build("ltnet+sce", alpha=0.3, beta=0.7, trace_weight=0.2, diagonal=0.8)
    batch = batch_of(method)
    output = method.encoder(batch.image)
    loss = float(method.label_loss(batch, output))
    p = tf.nn.softmax(output.labels["class"]).numpy()
    matrix = transition.symmetric(3, 0.2)
    wanted = 2 * 0.2 * np.trace(matrix)
    for name in ("annotator_1", "annotator_2"):
        known = batch.mask[name].numpy() > 0
        said = (p @ matrix)[np.arange(8), batch.labels[name].numpy()]
        # alpha CE + beta (-A) (1 - p), A = -4
        wanted += np.mean((-0.3 * np.log(said) + 0.7 * 4 * (1 - said))[known])
    for task in method.value_tasks:
        wanted += float(method.means[f"{task.name}/{task.loss}"].result())
    assert loss == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    "name, alone",
    [("joint_alone+sce", "sce"), ("joint_alone+ltnet", "ltnet")],
)
def test_the_game_leaves_the_label_loss_as_it_is(build, batch_of, name, alone):
    fields = {"trace_weight": 0.2} if alone == "ltnet" else {}
    game, twin = build(name, **fields), build(alone, **fields)
    batch = batch_of(twin)
    for one, two in zip(game.encoder.variables, twin.encoder.variables, strict=True):
        one.assign(two)
    losses = [m.label_loss(batch, m.encoder(batch.image)) for m in (game, twin)]
    assert float(losses[0]) == float(losses[1])


def test_annotators_matrices_learn_in_the_warm_up_and_under_the_game(build):
    method = build("joint_alone+ltnet")
    matrices = {v.ref() for v in method.transition_logits.values()}
    for variables in (method.label_variables, method.generator_variables):
        assert matrices < {v.ref() for v in variables}
    run = method.config
    assert not run.recipe.labels_through_annotators


def test_labels_pass_the_learned_matrices(build):
    fields = {"labels_through_annotators": True, "diagonal": 0.7}
    method = build("joint_alone+ltnet", **fields)
    for matrix in method.label_matrices().values():
        np.testing.assert_allclose(matrix, transition.symmetric(3, 0.3), rtol=1e-5)
    known = build(
        "joint_alone+known", labels_through_annotators=True, noise_rates=[0.1, 0.3]
    ).label_matrices()
    wanted = transition.symmetric(3, 0.3)
    np.testing.assert_allclose(known["annotator_2"], wanted, rtol=1e-5)
    with pytest.raises(UserError, match=r"'joint_alone\+crowd_layer' has no annotat"):
        build("joint_alone+crowd_layer", labels_through_annotators=True)


def test_keras_finds_the_class_by_the_config(build):
    first = build("ltnet+sce")
    build("known+elr")  # which Keras has under the same name
    saved = keras.saving.serialize_keras_object(first)
    again = keras.saving.deserialize_keras_object(saved)
    assert again.config == first.config
    assert isinstance(again, (LatentTruth, SymmetricCrossEntropy))


def test_the_row_tells_its_parts():
    row = methods.method_row("joint+ltnet+sce")
    assert row.parts == ("joint", "ltnet", "sce") and row.kind == "categorical"
    assert row.about == (
        "the proposed method with a transition matrix for each annotator with "
        "symmetric cross entropy"
    )
    options = methods.method_row("without_gx+em+gce").options
    assert dict(options) == {"use_decoder": False}

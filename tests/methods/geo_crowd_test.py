import numpy as np
import pytest
import tensorflow as tf

from kfer.noise import transition
from tests.methods import annotated, toys


def made(monkeypatch, missing=0, **options):
    """A method and a batch of 16 pictures, the first ones without a label."""
    features, truth = toys.clusters(16)
    truth[:missing] = -1
    labels = {f"annotator_{i}": truth for i in (1, 2)}
    label_tasks = toys.class_tasks(2)
    toy = toys.Toy(monkeypatch, "geo_crowd", features, labels, label_tasks, **options)
    return toy.method, tf.nest.map_structure(tf.constant, toy.batch)


def volume(gram):
    return np.linalg.slogdet(gram + 1e-5 * np.eye(len(gram)))[1]


@pytest.mark.parametrize("missing", (3, 14))
def test_f_is_the_volume_of_the_labelled_pictures_predictions(monkeypatch, missing):
    method, batch = made(monkeypatch, missing, geo_weight=0.5)
    with tf.GradientTape() as tape:
        output = method.encoder(batch.image)
        found = method.penalty(batch, output)
    p = tf.nn.softmax(output.labels["class"]).numpy()[missing:].astype(float)
    # of 14 missing, two are left for four classes
    assert float(found) == pytest.approx(-0.5 * volume(p.T @ p / len(p)), rel=1e-3)
    gradients = tape.gradient(found, method.encoder.trainable_variables)
    assert all(np.isfinite(g).all() for g in gradients if g is not None)


def test_it_is_added_to_the_label_losses(monkeypatch):
    method, batch = made(monkeypatch, geo_weight=0.5)
    output = method.encoder(batch.image)
    loss = float(method.label_loss(batch, output))
    penalty = float(method.penalty(batch, output))
    own = [float(method.means[f"annotator_{i}/cross_entropy"].result()) for i in (1, 2)]
    assert loss == pytest.approx(sum(own) + penalty, rel=1e-5)
    assert abs(penalty) > 1.0


def test_w_is_the_volume_of_the_stacked_matrices(monkeypatch):
    method, batch = made(monkeypatch, 16, geo_variant="W", geo_weight=0.5)
    first, second = transition.symmetric(4, 0.3), transition.pair(4, 0.4, {0: 1})
    for name, matrix in (("annotator_1", first), ("annotator_2", second)):
        logits = np.log(np.maximum(matrix, 1e-9)) / method.config.options.speed
        method.transition_logits[name].assign(logits)
    # W stacks T_1' over T_2', so W'W = T_1 T_1' + T_2 T_2'
    expected = -0.5 * volume(first @ first.T + second @ second.T)
    found = method.penalty(batch, method.encoder(batch.image))
    assert float(found) == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ("F", "W"))
def test_recovers_the_matrices_it_was_generated_with(monkeypatch, variant):
    toy, matrices = annotated.trained(monkeypatch, "geo_crowd", geo_variant=variant)
    for name, matrix in toy.method.transitions().items():
        gap = np.abs(matrix - matrices[name]).max()
        print(f"{variant} {name}: largest error {gap:.3f}")
        assert gap < 0.07  # as ltnet's, from 1200 examples
    features, truth = toys.clusters(1000, seed=3)
    assert toy.accuracy(features, truth) > 0.97

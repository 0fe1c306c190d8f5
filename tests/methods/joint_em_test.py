"""EM's targets under the game: both parts are what they are alone."""

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.crowd.triples import Triples
from kfer.errors import UserError
from tests.methods import annotated, toys

OPTIONS = {
    "discriminator_label_input": "samples",
    "discriminator_steps": 1,
    "joint_score": "projection",
    "labels_through_annotators": True,
    "gan_start_epoch": -1,
}


def started(monkeypatch, method="joint_em_without_gx", **options):
    """A toy whose annotators were fitted."""
    features, labels, _ = annotated.problem()
    names = toys.class_tasks(3)
    toy = toys.Toy(monkeypatch, method, features, labels, names, **options)
    sets = np.stack([labels[task.name] for task in names])
    toy.method.begin({"class": Triples.of_sets(sets, 4)})
    return toy


def test_targets_and_label_loss_are_em_s(monkeypatch):
    toy, em = started(monkeypatch, **OPTIONS), started(monkeypatch, "em")
    for variable, twin in zip(
        toy.method.encoder.variables, em.method.encoder.variables, strict=True
    ):
        variable.assign(twin)
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    alone = em.method.training_loss(batch)
    output = toy.method.encoder(batch.image)
    assert float(toy.method.label_loss(batch, output)) == pytest.approx(float(alone))
    for name in ("opinions", "said"):
        one, two = (getattr(m, name)["class"] for m in (toy.method, em.method))
        np.testing.assert_allclose(one, two, rtol=1e-5)


def test_learns_through_the_game(monkeypatch):
    toy = started(
        monkeypatch,
        lambda_ratio=0.3,
        lambda_ramp_steps=20,
        em_start_epoch=20,
        **OPTIONS,
    )
    logs = toy.train(150)
    assert toy.method.discriminator.streams == ("joint",)
    assert 0.0 < logs["lambda"] <= 25 * 0.8
    assert np.isfinite(logs["gan_loss"])
    assert toy.accuracy(*toys.clusters(400, seed=5)) > 0.95


def test_matrices_by_label_set(monkeypatch):
    toy = started(monkeypatch, **OPTIONS)
    found = toy.method.label_matrices()
    wanted = toy.method.transitions()["class"]
    for place, task in enumerate(toy.method.config.tasks):
        np.testing.assert_allclose(found[task.name], wanted[place], rtol=1e-6)


def test_what_can_not_be(tiny_config):
    with pytest.raises(UserError, match="'joint' has no annotators' matrices for labe"):
        methods.build(tiny_config("repaired"))
    run = tiny_config("repaired", method="joint_em_without_gx", num_annotators=[5])
    with pytest.raises(UserError, match="'annotator_1' are of 5 annotators, so they"):
        methods.build(run)

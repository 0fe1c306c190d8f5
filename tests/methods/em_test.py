"""Dawid-Skene targets and EM in the loop: by hand, and on annotators who err."""

import types

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods, tasks
from kfer.crowd import dawid_skene
from kfer.crowd.triples import Triples
from kfer.data import record
from kfer.errors import UserError
from kfer.noise import transition
from tests.methods import annotated, toys


def started(monkeypatch, method, count=3, **options):
    """A toy whose annotators were fitted, its triples and the matrices drawn with."""
    features, labels, matrices = annotated.problem()
    tasks = toys.class_tasks(count)
    toy = toys.Toy(monkeypatch, method, features, labels, tasks, **options)
    sets = np.stack([labels[task.name] for task in tasks])
    triples = Triples.of_sets(sets, 4)
    toy.method.begin({"class": triples})
    return toy, triples, matrices


def test_targets_before_training_are_dawid_and_skene_s(monkeypatch):
    for name in ("dawid_skene", "em"):
        toy, triples, _ = started(monkeypatch, name)
        wanted = dawid_skene.fit_held_out(triples).posterior
        batch = tf.nest.map_structure(tf.constant, toy.batch)
        found = toy.method.posteriors(batch)["class"].numpy()
        np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_posterior_by_hand(monkeypatch):
    # p = (.6, .4, 0, 0) to the power 1 and T's columns of the label 1
    toy, _, _ = started(monkeypatch, "em", count=1, em_start_epoch=0, em_power=1.0)
    method, truth = toy.method, toy.method.truths["class"]
    matrix = np.full((4, 4), 0.1)
    np.fill_diagonal(matrix, 0.7)
    truth.log_matrices.assign(np.log(matrix)[np.newaxis])
    method.opinions["class"].assign(
        np.tile([[0.3, 0.2, 0.0, 0.0]], (annotated.SIZE, 1))
    )
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    q = method.posteriors(batch)["class"].numpy()
    row = int(np.flatnonzero(toy.batch.labels["annotator_1"] == 1)[0])
    by_hand = np.array([0.6 * 0.1, 0.4 * 0.7])
    np.testing.assert_allclose(q[row, :2], by_hand / by_hand.sum(), rtol=1e-3)
    assert q[row, 2:].max() < 1e-4


def test_one_label_set_starts_from_the_diagonal(monkeypatch):
    toy, _, _ = started(monkeypatch, "em", count=1, diagonal=0.7)
    found = toy.method.transitions()["class"]
    np.testing.assert_allclose(found[0], transition.symmetric(4, 0.3), rtol=1e-4)


def test_em_finds_the_matrices_and_the_truth(monkeypatch):
    _, truth = toys.clusters(annotated.SIZE)
    toy, _, matrices = started(monkeypatch, "em", em_start_epoch=20)
    before = np.mean(
        toy.method.posteriors(toy.batch)["class"].numpy().argmax(1) == truth
    )
    toy.train(150)
    q = toy.method.posteriors(toy.batch)["class"].numpy()
    assert np.mean(q.argmax(1) == truth) > max(before, 0.99)
    found = toy.method.transitions()["class"]
    for index, name in enumerate(matrices):
        np.testing.assert_allclose(found[index], matrices[name], atol=0.08)
    assert toy.accuracy(*toys.clusters(400, seed=5)) > 0.95


def test_matrices_follow_at_an_epoch_s_end_alone(monkeypatch):
    toy, _, _ = started(monkeypatch, "em", em_start_epoch=1)
    before = toy.method.transitions()["class"]
    toy.train(2)  # a toy's step is an epoch: the first still goes by the start
    after = toy.method.transitions()["class"]
    assert np.abs(after - before).max() > 1e-4
    other, _, _ = started(monkeypatch, "em", em_start_epoch=3)
    other.train(2)
    np.testing.assert_array_equal(other.method.transitions()["class"], before)


def test_a_running_mean_of_answers(monkeypatch):
    toy, _, _ = started(monkeypatch, "em", em_momentum=0.25)
    first = toy.answers(annotated.problem()[0])["class"]
    toy.method.train_step(tf.nest.map_structure(tf.constant, toy.batch))
    second = toy.answers(annotated.problem()[0])["class"]
    toy.method.train_step(tf.nest.map_structure(tf.constant, toy.batch))
    wanted = 0.25 * (0.75 * first) + 0.75 * second
    np.testing.assert_allclose(
        toy.method.opinions["class"], wanted, rtol=1e-4, atol=1e-6
    )


def test_what_can_not_be(tiny_config):
    with pytest.raises(UserError, match="num_annotators has 3 entries for 1"):
        methods.build(tiny_config(method="dawid_skene", num_annotators=[1, 1, 1]))
    with pytest.raises(UserError, match="keeps something for each picture"):
        methods.build(tiny_config(method="em", mixup=0.2))


VOTED = tasks.LabelTask("votes", "categorical", toys.CLASSES, target="class")


def test_votes_beside_annotators_are_learned_as_they_are(monkeypatch):
    features, labels, _ = annotated.problem()
    both = (*toys.class_tasks(3), VOTED)
    given = labels | {"votes": labels["annotator_1"]}
    settings = {"num_annotators": [1, 1, 1, 0]}
    toy = toys.Toy(monkeypatch, "em", features, given, both, **settings)
    assert toy.method.said_tasks == both[:3]
    assert toy.method.transitions()["class"].shape == (3, 4, 4)
    sets = np.stack([labels[task.name] for task in both[:3]])
    toy.method.begin({"class": Triples.of_sets(sets, 4)})
    soft = np.random.default_rng(0).dirichlet(np.ones(4), annotated.SIZE)
    batch = toy.batch._replace(labels=toy.batch.labels | {"votes": soft})
    softened = toy.method.softened(tf.nest.map_structure(tf.constant, batch)).labels
    np.testing.assert_array_equal(softened["votes"], soft)
    assert np.abs(softened["annotator_1"] - soft).max() > 0.1


def test_votes_alone_have_no_annotators(tiny_config):
    column = record.votes("votes", toys.CLASSES, "class")
    data = types.SimpleNamespace(
        split=lambda name: types.SimpleNamespace(num_records=8),
        columns={"votes": column},
        noise={},
    )
    for method in ("em", "dawid_skene"):
        with pytest.raises(
            UserError, match="'(em|dawid_skene)' models annotators, and"
        ):
            methods.fit_to_data(tiny_config(method=method, tasks=(VOTED,)), data)
    found = methods.fit_to_data(tiny_config(method="kfer", tasks=(VOTED,)), data)
    assert found.options.num_annotators == (0,)
    assert not methods.build(found).said_tasks


def test_power_0_leaves_the_annotators_alone(monkeypatch):
    toy, triples, _ = started(monkeypatch, "em", em_start_epoch=0, em_power=0.0)
    wanted = dawid_skene.fit_held_out(triples).posterior
    toy.method.opinions["class"].assign(np.tile([[1.0, 0, 0, 0]], (annotated.SIZE, 1)))
    batch = tf.nest.map_structure(tf.constant, toy.batch)
    found = toy.method.posteriors(batch)["class"].numpy()
    np.testing.assert_allclose(found, wanted, atol=2e-3)

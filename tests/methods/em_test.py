"""Dawid-Skene targets and EM in the loop: by hand, and on annotators who err."""

import numpy as np
import pytest
import tensorflow as tf

from kfer import methods
from kfer.crowd import dawid_skene
from kfer.crowd.triples import Triples
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

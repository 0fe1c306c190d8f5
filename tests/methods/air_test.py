import numpy as np
import pytest
import tensorflow as tf

from tests.methods import toys


def make(monkeypatch, features, given, **weights):
    return toys.Toy(
        monkeypatch,
        "air",
        features,
        {"annotator_1": given},
        toys.class_tasks(1),
        **{"group_weight": 0.0, "lasso_weight": 0.0, "ridge_weight": 0.0, **weights},
    )


def kernel_of(toy):
    return toy.method.encoder.heads[0].kernel


class TestPenalty:
    def test_by_hand(self, monkeypatch):
        features, truth = toys.clusters(4)
        weights = {"group_weight": 0.5, "lasso_weight": 0.1, "ridge_weight": 0.2}
        toy = make(monkeypatch, features, truth, **weights)
        kernel = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
        kernel_of(toy).assign(kernel)
        hidden = np.random.default_rng(1).normal(size=(2, 32)).astype(np.float32)
        unit = hidden / np.linalg.norm(hidden, axis=1, keepdims=True)
        groups = [sum(np.linalg.norm(z * kernel[:, c]) for c in range(4)) for z in unit]
        expected = (
            0.5 * np.mean(groups)
            + 0.1 * np.abs(kernel).sum()
            + 0.2 * 0.5 * (kernel**2).sum() / 4
        )
        found = float(toy.method.penalty(tf.constant(hidden)))
        assert found == pytest.approx(expected, rel=1e-5)

    def test_moves_the_class_heads_alone(self, monkeypatch):
        features, truth = toys.clusters(4)
        toy = make(monkeypatch, features, truth, group_weight=1.0)
        hidden = tf.Variable(tf.ones([3, 32]))
        with tf.GradientTape() as tape:
            penalty = toy.method.penalty(hidden)
        to_hidden, to_kernel = tape.gradient(penalty, [hidden, kernel_of(toy)])
        assert to_hidden is None
        assert np.all(np.sign(to_kernel) == np.sign(kernel_of(toy)))


def test_prunes_what_images_do_not_need(monkeypatch):
    """Of 32 features 8 tell the classes apart; the others' weights are driven out."""
    informative, truth = toys.clusters(200)
    noise = np.random.default_rng(0).normal(size=(200, 24))
    features = np.hstack([informative, noise])
    share = {}
    for weight in (0.0, 0.05):
        toy = make(monkeypatch, features, truth, group_weight=weight)
        toy.train(300)
        squares = np.square(kernel_of(toy).numpy()).sum(axis=1)
        share[weight] = squares[8:].sum() / squares.sum()
        assert toy.accuracy(features, truth) == 1.0
    print(f"share of the useless features' squared weights: {share}")
    assert share[0.05] < 0.5 * share[0.0]

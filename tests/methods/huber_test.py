import numpy as np
import pytest

from kfer import tasks
from tests.methods import toys


def test_outliers_bend_it_less_than_squared_error(monkeypatch):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4))
    truth = np.tanh(features @ rng.normal(size=(4, 2)) / 4)
    given = truth.copy()
    given[:90] = [0.9, -0.9]  # 30 % of the labels say the same whatever the picture
    errors = {}
    for method in ("vgg_all", "huber"):
        toy = toys.Toy(
            monkeypatch, method, features, {"values_1": given}, toys.value_tasks(1)
        )
        toy.train(300)
        answers = toy.answers(features)["valence_arousal"]
        errors[method] = np.sqrt(np.mean((answers - truth) ** 2))
    print(errors)
    assert errors["huber"] < 0.6 * errors["vgg_all"]


def test_errors_count_in_halves_of_the_range(monkeypatch):

    features, _ = toys.clusters(8)
    losses = []
    for low, high in ((-1.0, 1.0), (0.0, 10.0)):
        row = tasks.LabelTask(
            "pain", "continuous", dimensions=("p",), low=low, high=high, loss="mse"
        )
        given = np.full((8, 1), high)
        toy = toys.Toy(monkeypatch, "huber", features, {"pain": given}, (row,))
        losses.append(toy.train(1)["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)

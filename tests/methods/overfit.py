"""A net that can learn 40 % wrong labels by heart: what plain cross entropy makes of it."""

import functools

import numpy as np
import pytest

from kfer.noise import transition
from tests.methods import toys

STEPS = 150


@functools.cache
def problem():
    """300 noisy training examples in 32 features and 2000 clean ones."""
    features, truth = toys.clusters(300, spread=1.0, num_features=32)
    matrix = transition.symmetric(4, 0.4)
    given = transition.sample(truth, matrix, np.random.default_rng(7))
    return features, given, *toys.clusters(2000, seed=1, spread=1.0, num_features=32)


def clean_accuracy(monkeypatch, method, **options):
    """Accuracy on clean examples after learning the noisy ones, and the last logs."""
    features, given, test, truth = problem()
    toy = toys.Toy(
        monkeypatch,
        method,
        features,
        {"annotator_1": given},
        toys.class_tasks(1),
        rate=3e-3,
        encoder=toys.WideEncoder,
        **options,
    )
    logs = toy.train(STEPS)
    return toy.accuracy(test, truth), logs


@functools.cache
def of_cross_entropy():
    """The same of plain cross entropy, computed once a process."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return clean_accuracy(monkeypatch, "vgg_all")

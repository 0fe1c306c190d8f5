"""Three annotators who err each in their own way, for methods that model them."""

import functools

import numpy as np

from kfer.noise import transition
from tests.methods import toys

SIZE, STEPS = 1200, 200


@functools.cache
def problem():
    """Features, label sets and the matrices they were drawn with; some are missing."""
    features, truth = toys.clusters(SIZE)
    rng = np.random.default_rng(11)
    matrices = {
        "annotator_1": transition.symmetric(4, 0.2),
        "annotator_2": transition.pair(4, 0.4, {0: 1, 1: 0}),
        "annotator_3": transition.pair(4, 0.3, {2: 3, 3: 0}),
    }
    labels = {
        name: transition.sample(truth, matrix, rng) for name, matrix in matrices.items()
    }
    labels["annotator_3"][rng.random(SIZE) < 0.2] = -1
    return features, labels, matrices


def trained(monkeypatch, method, steps=STEPS, **options):
    """A method that learned the three label sets, and the true matrices."""
    features, labels, matrices = problem()
    toy = toys.Toy(
        monkeypatch, method, features, labels, toys.class_tasks(3), **options
    )
    toy.train(steps)
    return toy, matrices

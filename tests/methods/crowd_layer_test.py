import numpy as np

from tests.methods import annotated, toys

ERROR = 0.1  # of an entry of T, from 1200 examples


def test_recovers_the_matrices_it_was_generated_with(monkeypatch):
    toy, matrices = annotated.trained(monkeypatch, "crowd_layer", speed=3.0)
    for name, matrix in toy.method.transitions().items():
        gap = np.abs(matrix - matrices[name]).max()
        print(f"{name}: largest error {gap:.3f}")
        assert gap < ERROR
    features, truth = toys.clusters(1000, seed=3)
    assert toy.accuracy(features, truth) > 0.97


def test_starts_at_the_identity(monkeypatch):
    features, truth = toys.clusters(16)
    toy = toys.Toy(
        monkeypatch,
        "crowd_layer",
        features,
        {"annotator_1": truth},
        toys.class_tasks(1),
    )
    task = toy.method.config.tasks[0]
    np.testing.assert_allclose(toy.method.matrix(task), np.eye(4), rtol=1e-6)
    # softmax of a row of the identity
    rows = np.exp(np.eye(4)) / (np.e + 3)
    np.testing.assert_allclose(toy.method.transitions()["annotator_1"], rows, rtol=1e-5)

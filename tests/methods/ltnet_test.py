import numpy as np
import pytest

from kfer.noise import transition
from tests.methods import annotated, toys

ERROR = 0.07  # of an entry of T, from 1200 examples


@pytest.mark.parametrize("trace_weight", (0.0, 0.01))
def test_recovers_the_matrices_it_was_generated_with(monkeypatch, trace_weight):
    toy, matrices = annotated.trained(monkeypatch, "ltnet", trace_weight=trace_weight)
    for name, matrix in toy.method.transitions().items():
        gap = np.abs(matrix - matrices[name]).max()
        print(f"{name}: largest error {gap:.3f}")
        assert matrix.sum(1) == pytest.approx(np.ones(4), rel=1e-5)
        assert gap < ERROR


def test_the_head_answers_for_the_truth(monkeypatch):
    toy, _ = annotated.trained(monkeypatch, "ltnet")
    features, truth = toys.clusters(1000, seed=3)
    assert set(toy.answers(features)) == {"class"}
    assert toy.accuracy(features, truth) > 0.97


def test_starts_where_the_options_say(monkeypatch):
    features, truth = toys.clusters(16)
    toy = toys.Toy(
        monkeypatch,
        "ltnet",
        features,
        {"annotator_1": truth},
        toys.class_tasks(1),
        diagonal=0.7,
    )
    found = toy.method.transitions()["annotator_1"]
    np.testing.assert_allclose(found, transition.symmetric(4, 0.3), rtol=1e-5)


def test_the_trace_is_added(monkeypatch):
    features, truth = toys.clusters(16)
    labels = {f"annotator_{i}": truth for i in (1, 2)}
    losses = [
        toys.Toy(
            monkeypatch,
            "ltnet",
            features,
            labels,
            toys.class_tasks(2),
            trace_weight=weight,
        ).train(1)["loss"]
        for weight in (0.0, 0.5)
    ]
    # two annotators, four classes, 0.9 on the diagonal
    assert losses[1] - losses[0] == pytest.approx(0.5 * 2 * 4 * 0.9, rel=1e-4)

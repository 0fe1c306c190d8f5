import functools

import numpy as np
import pytest

from tests.methods import toys

# bias and scale of three annotators by dimension; means 0 and geometric means 1
BIAS = np.array([[0.2, -0.1], [-0.15, 0.1], [-0.05, 0.0]])
SCALE = np.array([[1.25, 0.8], [0.8, 1.0], [1.0, 1.25]])
SIGMA = np.array([0.05, 0.1, 0.3])
ERROR = 0.03


@functools.cache
def problem():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(800, 4))
    truth = np.tanh(features @ rng.normal(size=(4, 2)) / 3)
    labels = {
        f"values_{i + 1}": truth * SCALE[i]
        + BIAS[i]
        + SIGMA[i] * rng.normal(size=truth.shape)
        for i in range(3)
    }
    return features, truth, labels


@pytest.fixture
def toy(monkeypatch):
    features, _, labels = problem()
    return toys.Toy(
        monkeypatch, "va_annotators", features, labels, toys.value_tasks(3), speed=1.0
    )


def test_recovers_bias_scale_and_noise(toy):
    features, truth, _ = problem()
    toy.train(300)
    for i, (name, found) in enumerate(toy.method.annotators().items()):
        gaps = np.abs(found.bias - BIAS[i]), np.abs(found.scale - SCALE[i])
        print(f"{name}: bias off by {gaps[0].max():.3f}, scale by {gaps[1].max():.3f}")
        assert gaps[0].max() < ERROR
        assert gaps[1].max() < ERROR
        assert found.sigma == pytest.approx(SIGMA[i], abs=ERROR)
    answers = toy.answers(features)["valence_arousal"]
    assert np.abs(np.mean(answers - truth, axis=0)).max() < ERROR
    assert np.sqrt(np.mean((answers - truth) ** 2)) < ERROR


def test_the_answer_is_the_truth_s_head(toy):
    assert [task.name for task in toy.method.head_tasks] == ["valence_arousal"]
    start = toy.method.annotators()["values_2"]
    assert start.bias.tolist() == [0, 0] and start.scale.tolist() == [1, 1]
    assert start.sigma == pytest.approx([1, 1])


def test_what_all_share_is_the_truth_s(toy):
    """The same bias and scale on every label set changes nothing."""
    for variable in toy.method.annotator_parameters.values():
        variable.assign([[0.3, 0.3], [0.2, 0.2], [0.0, 0.0]])
    for found in toy.method.annotators().values():
        assert found.bias == pytest.approx([0, 0], abs=1e-6)
        assert found.scale == pytest.approx([1, 1], abs=1e-6)

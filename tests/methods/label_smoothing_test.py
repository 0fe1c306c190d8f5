import numpy as np
import pytest

from tests.methods import toys


def test_confidence_stops_at_the_smoothed_label(monkeypatch):
    features, truth = toys.clusters(64, spread=0.1)
    toy = toys.Toy(
        monkeypatch,
        "label_smoothing",
        features,
        {"annotator_1": truth},
        toys.class_tasks(1),
        smoothing=0.2,
    )
    logs = toy.train(300)
    answers = toy.answers(features)["class"]
    assert np.all(answers.argmax(1) == truth)
    # 0.8 + 0.2 / 4 on the label, 0.05 on each other class
    assert answers.max(1) == pytest.approx(0.85, abs=0.08)
    assert answers.max(1).mean() == pytest.approx(0.85, abs=0.01)
    entropy = -(0.85 * np.log(0.85) + 3 * 0.05 * np.log(0.05))
    assert logs["loss"] == pytest.approx(entropy, abs=0.01)

"""What the figures of a run's page are drawn from."""

import dataclasses
import os
import shutil

import numpy as np
import pytest

from kfer.evaluation import figures, pictures, results, scoring
from tests import runs


@pytest.fixture
def drawn(monkeypatch):
    """Arguments of what was drawn, by kind of figure; nothing is really drawn."""
    found: dict[str, list] = {}

    def note(kind):
        def draw(*args, **options):
            found.setdefault(kind, []).append((args, options))
            return b""

        return draw

    for kind in ("curves", "confusion", "reliability", "scatter"):
        monkeypatch.setattr(pictures, kind, note(kind))
    return found


def test_training_curves_are_drawn_from_the_history(drawn):
    figures.of([results.load_run(runs.run())])
    ((losses, _), _), ((accuracies, _), options) = drawn["curves"][2:]
    assert losses["loss"] == pictures.Series([4, 8, 12], [0.96, 0.92, 0.88])
    assert losses["gan_loss"].values == [0.5] * 3
    assert list(accuracies) == ["annotator_1/accuracy", "clean expression"]
    assert options["dashed"] == ["annotator_1/accuracy"]


def test_only_examples_with_truth_are_scattered(drawn, tmp_path):
    shutil.copytree(runs.run(), tmp_path / "run")
    part = scoring.Predictions(
        np.array([[0.1, 0.2], [0.3, 0.4]]), np.zeros((2, 2)), np.array([1.0, 0.0])
    )
    path = os.path.join(tmp_path, "run", scoring.PREDICTIONS)
    scoring.write_predictions(path, {"valence_arousal": part})
    figures.of([results.load_run(str(tmp_path / "run"))])
    (((true, predicted, names, low, high), _),) = drawn["scatter"]
    np.testing.assert_array_equal(true, [[0, 0]])
    np.testing.assert_array_equal(predicted, [[0.1, 0.2]])
    assert (names, low, high) == (("valence", "arousal"), -1.0, 1.0)


def test_the_exported_models_calibration_is_its_own(drawn):
    run = results.load_run(runs.run())
    scores = {"mood": {"reliability": "calibrated"}, "valence_arousal": {"ccc": 0.1}}
    judged = {"step": 12, "scores": scores, "objections": []}
    titles = [t for t, _ in figures.of([dataclasses.replace(run, evaluation=judged)])]
    assert titles.count("mood: reliability of the exported model's confidence") == 1
    assert drawn["reliability"][0] == (("calibrated",), {})
    own = run.result("last")["test"]["expression"]["reliability"]
    assert drawn["reliability"][1:] == [((own,), {})]

"""What is scored and what is served looks at a picture in the same views."""

import numpy as np
import pytest

from kfer.evaluation import scoring
from kfer.methods import base
from kfer.serving import export
from kfer.training import checkpoints, compiling, run_folder
from tests import runs
from tests.methods import toys

SLOPE = 0.5


@pytest.fixture
def run_dir(monkeypatch, tmp_path):
    """A run, trained with 'flip', of a net that reads a picture's upper corners.

    Valence and arousal are tanh of half the red of the left and of the right one.
    """
    monkeypatch.setattr(base, "Encoder", toys.StubEncoder)
    config = runs.config(method="vgg_all", test_averaging="flip", encoder_start="he")
    method = compiling.compiled(config)
    kernel = np.zeros((toys.FEATURES, 2), np.float32)
    kernel[0, 0] = kernel[-1, 1] = SLOPE
    names = [task.name for task in config.tasks]
    head = method.encoder.heads[names.index("valence_arousal")]
    head.kernel.assign(kernel)
    head.bias.assign([0.0, 0.0])
    path = str(tmp_path / "run")
    run_folder.claim(path, config, runs.dataset())
    checkpoints.Checkpoints(method, path).save(3)
    return path


def corners(images, row=0, column=0):
    """tanh of the outputs at (row, column) from the left and from the right: [B, 2]."""
    red = np.tanh(SLOPE * images[:, row, :, 0])
    return np.stack([red[:, column], red[:, -1 - column]], axis=1)


def expected(kind):
    """Valence and arousal of the test pictures.

    Mirrored, the corners change places. Shifted either way and reflected at the border,
    a corner shows the pixel that lies one further in, in both directions.
    """
    images = runs.images()
    plain, inner = corners(images), corners(images, 1, 1)
    if kind == "none":
        return plain
    mean, inner_mean = (
        np.repeat(c.mean(1, keepdims=True), 2, 1) for c in (plain, inner)
    )
    return mean if kind == "flip" else 0.5 * mean + 0.5 * inner_mean


@pytest.mark.parametrize("given", ("", "none", "flip_shift"))
def test_evaluation_and_model_answer_alike(run_dir, tmp_path, given):
    kind, path = given or "flip", str(tmp_path / "predictions.npz")
    wanted = expected(kind)
    result = scoring.evaluate_run(run_dir, predictions_path=path, test_averaging=given)
    assert result["test_averaging"] == kind
    found = scoring.read_predictions(path)["valence_arousal"].prediction
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)

    model = str(tmp_path / "model")
    export.export_run(run_dir, model, test_averaging=given)
    config, answers = export.load_answers(model)
    assert config.optimization.test_averaging == kind
    found = answers(runs.images())["valence_arousal"]
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    with open(f"{model}/assets/model_card.md", encoding="utf-8") as file:
        card = file.read()
    assert ("mean over 2 views" in card) == (kind == "flip")
    assert ("6 views of a picture, mirrored and shifted" in card) == (
        kind == "flip_shift"
    )

import pytest

from kfer.errors import UserError
from kfer.evaluation import scoring
from kfer.serving import export, model_scores
from tests import runs


def test_a_saved_model_scores_as_its_run(tmp_path):
    # The networks see BGR, the model takes RGB.
    bgr = runs.config(method="vgg_all", channel_order="bgr")
    model = runs.method(bgr)
    out = str(tmp_path / "model")
    export.export_model(model, bgr, out, notes=export.Notes(step=7))
    result = model_scores.evaluate_model(out, runs.dataset().root)
    expected = scoring.evaluate(model, runs.dataset(), bgr)
    assert result["step"] == 7
    assert (
        result["scores"]["expression"]["confusion"]
        == (expected["expression"]["confusion"])
    )
    assert result["scores"]["valence_arousal"]["ccc"] == pytest.approx(
        expected["valence_arousal"]["ccc"], rel=1e-4
    )
    rgb = runs.run_config()
    other = scoring.evaluate(runs.method(rgb), runs.dataset(), rgb)
    assert other["valence_arousal"]["ccc"] != pytest.approx(
        expected["valence_arousal"]["ccc"], rel=1e-2
    )


def test_what_is_no_model_is_said(tmp_path):
    with pytest.raises(UserError, match="is no kfer model"):
        model_scores.evaluate_model(str(tmp_path), runs.dataset().root)

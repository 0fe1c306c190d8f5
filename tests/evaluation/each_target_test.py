"""One target's truth stands in test, another's labels in valid: one number everywhere."""

import numpy as np
import pytest

from kfer.evaluation import each_target, judgement, scoring, yardstick
from kfer.metrics import suite
from tests.data import prepared


@pytest.fixture
def made(tmp_path):
    """A class with its truth in test, a mood with labels in valid, a tone with none."""
    return prepared.three_targets(str(tmp_path / "set"), (3, 3, 3, 3, 3, 3, 4, 4))


def answers(image):
    sure = np.tile(np.eye(10, dtype=np.float32)[3], (len(image), 1))
    return {"class": sure, "mood": sure, "tone": sure}


def test_training_scores_what_evaluation_scores(made, monkeypatch):
    data, config = made
    main = yardstick.choose(data, config)
    monkeypatch.setattr(scoring, "traced", lambda *_: answers)
    along = each_target.scorer(None, data, config, main)()
    assert set(along) == {"class", "mood"}
    assert along["mood"]["accuracy"] == 6 / 8 and "against" not in along["class"]
    assert (along["mood"]["split"], along["mood"]["against"]) == ("valid", "labels")

    result = scoring.report(answers, data, config, main, 0, "")
    result |= scoring.elsewhere(answers, data, config, main)
    assert each_target.of_result(result) == along
    assert result["elsewhere"]["tone"] is None


def test_agreement_ranks_no_run_and_says_what_it_is(made, monkeypatch):
    data, config = made
    monkeypatch.setattr(scoring, "traced", lambda *_: answers)
    main = yardstick.choose(data, config)
    along = each_target.scorer(None, data, config, main)()
    alone = {"class": along["class"]}
    assert suite.score_of(along) == suite.score_of(alone) == along["class"]["accuracy"]
    said = "mood accuracy 75.00 % [labels of the split valid]"
    assert suite.brief_line(along).endswith(said)
    assert suite.summary_line(along).endswith(" [labels of the split valid]")


def test_a_threshold_holds_for_each_target(made, monkeypatch):
    data, config = made
    monkeypatch.setattr(scoring, "traced", lambda *_: answers)
    along = each_target.scorer(None, data, config, yardstick.choose(data, config))()
    asked = {"mood/accuracy": 0.8, "tone/accuracy": 0.1}
    assert judgement.objections(along, asked, unscored=["tone"]) == [
        "mood/accuracy is 0.7500, at least 0.8 is asked for",
        "tone/accuracy can't be had: nothing to compare with",
    ]
    assert judgement.objections(along, {"mood/accuracy": 0.7}, unscored=["tone"]) == []

"""Scores, page and verdict of a model, beside a rival and the last blessed one."""

import os
import shutil

import pytest

from kfer.evaluation import verdict
from kfer.serving import export, model_folder, model_scores, scorecard
from kfer.settings import config as config_lib
from kfer.training import run_folder
from tests import runs
from tests.data import prepared


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("card")
    model = str(folder / "model")
    export.export_run(runs.run(), model)
    run = str(folder / "run")
    shutil.copytree(
        runs.run(), run, ignore=shutil.ignore_patterns("checkpoints", "model")
    )
    least = {"expression/accuracy": 2.0}
    out = str(folder / "out")
    found = scorecard.write(
        out, model, runs.dataset().root, run, [run], least, last_blessed=model
    )
    return found, out, model


def test_scores_are_the_saved_models(card):
    found, _, model = card
    again = model_scores.evaluate_model(model, runs.dataset().root)["scores"]
    assert found["scores"] == again == found["last_blessed"]


def test_the_verdict_is_noted(card):
    found, out, model = card
    assert found["minimum"] == {"expression/accuracy": 2.0}
    assert found["last_blessed_model"] == model
    assert found["digest"] == model_folder.digest(model)
    assert len(found["objections"]) == 1  # as good as itself, but not 200 % right
    assert "at least 2 is asked for" in found["objections"][0]
    assert run_folder.read_json(os.path.join(out, verdict.EVALUATION)) == found
    line = scorecard.describe(found)
    assert line.startswith("expression accuracy ") and "not blessed: " in line


def test_the_page_shows_both_runs_and_the_verdict(card):
    found, out, model = card
    with open(os.path.join(out, "report.html"), encoding="utf-8") as file:
        page = file.read()
    assert "confusion of the last model" in page and "reliability" in page
    assert "not blessed: expression/accuracy is" in page
    ece = f"{found['scores']['expression']['ece']:.4f}"
    assert f"confidence: expression {ece}." in page and page.count(f">{ece}<") == 1
    assert "Its score is " in page and f"that of {model} " in page
    assert "Beside it" in page and page.count("vgg_all (") >= 4


def test_the_last_model_is_scored_on_each_target_s_own_split(tmp_path, monkeypatch):
    """The class has its truth in test, the mood labels in valid, tone nothing."""
    data, config = prepared.three_targets(str(tmp_path / "set"), (3,) * 8)
    described = {"config": config_lib.to_dict(config)}
    monkeypatch.setattr(model_folder, "read_description", lambda _: described)
    asked = []

    def evaluate(model, folder, split, against):
        asked.append((split, against))
        target = "class" if against == "truth" else "mood"
        return {"scores": {target: {"accuracy": 0.25}}}

    monkeypatch.setattr(model_scores, "evaluate_model", evaluate)
    mood = {"split": "valid", "against": "labels"}
    found = {"split": "test", "against": "truth"}
    found["elsewhere"] = {"mood": mood | {"scores": {}}, "tone": None}
    before = scorecard._before("old", data.root, found)["last_blessed"]
    assert before == {
        "class": {"accuracy": 0.25},
        "mood": {"accuracy": 0.25} | mood,
    }
    assert asked == [("test", "truth"), ("valid", "labels")]
    # one that has nothing there any more is left out
    found["elsewhere"]["mood"] |= {"split": "test"}
    assert set(scorecard._before("old", data.root, found)["last_blessed"]) == {"class"}

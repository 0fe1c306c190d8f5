"""One target's truth stands in test, another's labels in valid: one number everywhere."""

import dataclasses

import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import record
from kfer.evaluation import each_target, judgement, scoring, yardstick
from kfer.metrics import suite
from tests.data import prepared


@pytest.fixture
def made(tmp_path):
    """A class with its truth in test, a mood with labels in valid, a tone with none."""
    config = prepared.small_config()
    (first, *_) = config.tasks
    mood = dataclasses.replace(first, name="mood", column="mood", target="mood")
    tone = dataclasses.replace(first, name="tone", column="tone", target="tone")
    config = dataclasses.replace(config, tasks=(first, mood, tone))
    named = {n: record.categorical(n, prepared.CLASSES) for n in ("mood", "tone")}

    def rows(split):
        for i in range(8):
            row = prepared.make_record(i, split)
            more = {} if split == "test" else {"mood": 3 if i < 6 else 4}
            more |= {"tone": 1} if split == "train" else {}
            yield row._replace(image_id=f"{split}{i}", labels=row.labels | more)

    data = dataset_lib.write(
        str(tmp_path / "set"),
        "small",
        {split: list(rows(split)) for split in ("train", "valid", "test")},
        prepared.COLUMNS | named,
        prepared.CLEAN,
        image_size=32,
    )
    return data, config


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

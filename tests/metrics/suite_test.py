import json

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.metrics import suite
from kfer.tasks import CATEGORICAL, LabelTask, valence_arousal_task

SHAPES = LabelTask("shape", CATEGORICAL, classes=("dot", "line", "ring"))
VA = valence_arousal_task()
PROBABILITIES = np.array(
    [[0.9, 0.1, 0.0], [0.8, 0.2, 0.0], [0.1, 0.7, 0.2], [0.1, 0.1, 0.8]], np.float32
)
LABELS = np.array([0, 1, 1, 2])


def test_classes_by_hand():
    scores = suite.evaluate_task(SHAPES, PROBABILITIES, LABELS)
    assert scores["num_examples"] == 4
    assert scores["accuracy"] == 0.75
    assert scores["recall"] == {"dot": 1.0, "line": 0.5, "ring": 1.0}
    assert scores["mean_class_accuracy"] == pytest.approx(2.5 / 3)
    # F1: 2/3, 2/3, 1.
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert scores["confusion"] == [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    # 0.9 right; both 0.8 in (0.8, 0.867] or the bin below, one right; 0.7 right.
    assert scores["ece"] == pytest.approx((0.1 + 0.6 + 0.3) / 4, abs=1e-6)
    assert sum(scores["reliability"]["count"]) == 4


def test_what_is_missing_is_left_out():
    labels = np.array([0, 99, 1, -1])
    scores = suite.evaluate_task(
        SHAPES, PROBABILITIES, labels, np.array([1.0, 0, 1, 0])
    )
    assert scores["num_examples"] == 2 and scores["accuracy"] == 1.0
    assert scores["recall"] == {"dot": 1.0, "line": 1.0, "ring": None}


def test_values_by_hand():
    targets = np.array([[0.0, -0.5], [np.nan, np.nan], [1.0, 0.0]])
    predictions = np.array([[0.0, 0.5], [9.0, 9.0], [2.0, 0.0]])
    scores = suite.evaluate_task(VA, predictions, targets, np.array([1, 0, 1]))
    # The arithmetic is in continuous_test.
    assert scores["num_examples"] == 2
    assert scores["by_dimension"]["valence"]["ccc"] == pytest.approx(2 / 3)
    assert scores["by_dimension"]["arousal"]["ccc"] == pytest.approx(-1 / 3)
    assert scores["ccc"] == pytest.approx(1 / 6)
    assert scores["mse"] == pytest.approx(0.5)
    assert scores["by_dimension"]["arousal"]["sagr"] == 0.5


@pytest.mark.parametrize("task", [SHAPES, VA])
def test_nothing_to_score_is_null(task):
    targets = np.zeros(2, int) if task is SHAPES else np.zeros((2, 2))
    predictions = np.full((2, task.size), 1 / task.size)
    scores = suite.evaluate_task(task, predictions, targets, np.zeros(2))
    assert scores["num_examples"] == 0
    for name in ("accuracy", "macro_f1", "ece", "ccc", "rmse", "sagr"):
        assert scores.get(name) is None
    assert "NaN" not in json.dumps(scores)
    line = suite.summary_line({task.name: scores})
    assert "n/a" in line and "0.0" not in line


def test_scores_survive_json():
    scores = suite.evaluate_task(SHAPES, PROBABILITIES, LABELS)
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    values = suite.evaluate_task(VA, np.zeros((3, 2)), np.zeros((3, 2)))
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_summary_line():
    line = suite.summary_line(
        {
            "shape": suite.evaluate_task(SHAPES, PROBABILITIES, LABELS),
            "va": suite.evaluate_task(
                VA,
                np.array([[0.1, 0.2], [0.3, 0.4]]),
                np.array([[0.1, 0.2], [0.3, 0.4]]),
            ),
        }
    )
    assert line == (
        "shape: accuracy 75.00 %, mean class 83.33 %, macro F1 0.7778, ECE 0.2500; "
        "va: CCC 1.0000 (valence 1.0000, arousal 1.0000), RMSE 0.0000, SAGR 100.00 %"
    )


def test_bad_input_is_told():
    with pytest.raises(UserError, match=r"'shape' has predictions \(4, 2\)"):
        suite.evaluate_task(SHAPES, PROBABILITIES[:, :2], LABELS)
    with pytest.raises(UserError, match=r"a mask \(3,\) for 4 examples"):
        suite.evaluate_task(SHAPES, PROBABILITIES, LABELS, np.ones(3))
    with pytest.raises(UserError, match="not finite"):
        suite.evaluate_task(VA, np.full((1, 2), np.nan), np.zeros((1, 2)))
    with pytest.raises(UserError, match=r"outside 0\.\.2"):
        suite.evaluate_task(SHAPES, PROBABILITIES, LABELS + 1)


def test_brief_line_has_one_number_a_task():
    scores = {"expression": {"accuracy": 0.5}, "valence_arousal": {"ccc": None}}
    line = suite.brief_line(scores)
    assert line == "expression accuracy 50.00 %, valence_arousal CCC n/a"

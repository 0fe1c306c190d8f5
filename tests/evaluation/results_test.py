import dataclasses
import os
import shutil

import pytest

from kfer.evaluation import results
from kfer.storage import whole
from kfer.training import run_folder
from tests import runs


@pytest.fixture
def run(tmp_path):
    path = str(tmp_path / "run")
    shutil.copytree(runs.run(), path)
    return path


def test_a_finished_run_has_what_metrics_json_says(run):
    found = results.load_run(run)
    assert (found.label, found.config) == ("vgg_all", runs.run_config())
    assert (found.result("last")["step"], found.result("best")["step"]) == (12, 8)
    assert found.seconds == 6.0  # three stretches of 2 s
    assert found.images_per_second == 16.0


def test_cost_up_to_a_step(run):
    found = results.load_run(run)
    assert found.cost_of(8) == (4.0, None)  # saved before PFLOP were noted
    rows = [row | {"pflop": row["step"] / 4} for row in found.history]
    assert dataclasses.replace(found, history=rows).cost_of(8) == (4.0, 2.0)


def test_speed_is_images_over_seconds(run):
    rows = run_folder.read_history(run)[:2]
    rows[0] |= {"seconds": 1.0, "images_per_second": 10.0}
    rows[1] |= {"seconds": 3.0, "images_per_second": 30.0}
    run_folder.write_history(run, rows)
    found = results.load_run(run)
    assert found.images_per_second == 25.0  # (1 * 10 + 3 * 30) / 4


def test_the_exported_models_scores_stand_beside_the_last(run):
    assert results.load_run(run).result("exported") is None
    judged = {"step": 12, "scores": {"expression": {"ece": 0.01}}, "objections": []}
    whole.write_json(os.path.join(run, "evaluation.json"), judged)
    found = results.load_run(run).result("exported")
    assert found == {"step": 12, "test": judged["scores"]}


def test_a_target_compared_with_something_else_says_so(run):
    found = results.load_run(run)
    assert found.targets == ["expression", "valence_arousal"]
    assert found.brief({"accuracy": 0.5}) == "clean test"
    own = {"split": "valid", "against": "labels"}
    assert found.brief(own) == "held-out valid"


def test_an_unfinished_run_is_judged_by_its_history(run):
    os.remove(os.path.join(run, "metrics.json"))
    found = results.load_run(run, "mine")
    assert found.label == "mine"
    assert (found.result("last")["step"], found.result("best")["step"]) == (12, 8)
    run_folder.write_history(run, [])
    found = results.load_run(run)
    assert found.result("last") is None and found.result("best") is None
    assert found.images_per_second == 0.0


def test_noise_is_that_of_the_data_set(run):
    found = results.label_noise(results.load_run(run))
    assert found == runs.dataset().noise["train"]
    assert found["annotator_1"]["requested"] == 0.2
    assert found["annotator_1"]["compared"] == 24


def test_noise_may_be_unknown(run):
    path = os.path.join(run, "versions.json")
    versions = run_folder.read_json(path)
    versions["data"]["noise"] = {}
    whole.write_json(path, versions)
    assert results.label_noise(results.load_run(run)) == {}


def test_describe_shows_classes_and_dimensions():
    result = {
        "model": "m",
        "step": 3,
        "split": "test",
        "data": {"root": "d"},
        "scores": {
            "class": {
                "num_examples": 4,
                "accuracy": 0.5,
                "mean_class_accuracy": 0.25,
                "macro_f1": 0.125,
                "ece": None,
                "recall": {"cat": 0.5, "horse": None},
            },
            "va": {
                "num_examples": 2,
                "ccc": 0.5,
                "rmse": 0.1,
                "sagr": 1.0,
                "by_dimension": {"valence": {"ccc": 0.5, "pcc": None}},
            },
        },
    }
    assert results.describe(result).splitlines() == [
        "m, step 3, on test of d",
        "",
        "class: accuracy 50.00 %, mean class 25.00 %, macro F1 0.1250, ECE n/a",
        "  examples  4",
        "  cat     50.00 %",
        "  horse  n/a",
        "",
        "va: CCC 0.5000 (valence 0.5000), RMSE 0.1000, SAGR 100.00 %",
        "  examples  2",
        "  valence  ccc 0.5000  pcc n/a",
    ]

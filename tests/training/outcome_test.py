import pytest

from kfer.training import outcome, run_folder

SCORES = {"accuracy": 0.25, "mean_class_accuracy": 0.25, "macro_f1": 0.2, "ece": 0.1}


def row(step, accuracy, **fields):
    scores = {"class": SCORES | {"accuracy": accuracy}}
    return {"step": step, "seconds": 2.0, "test": scores, **fields}


@pytest.fixture
def run_dir(tmp_path):
    rows = [
        row(4, 0.5, total_seconds=2.0, pflop=0.125),
        row(8, 0.25, total_seconds=4.0, pflop=0.25),
    ]
    run_folder.write_history(str(tmp_path), rows)
    return str(tmp_path)


def test_each_evaluation_says_what_it_took(run_dir):
    metrics = outcome.write(run_dir, False, None)
    last, best = metrics["last"], metrics["best"]
    assert (last["step"], last["seconds"], last["pflop"]) == (8, 4.0, 0.25)
    assert (best["step"], best["seconds"], best["pflop"]) == (4, 2.0, 0.125)
    assert run_folder.read_json(f"{run_dir}/metrics.json") == metrics


def test_the_summary_names_seconds_and_pflop(run_dir):
    outcome.write(run_dir, False, None)
    last, best = outcome.summary(run_dir).splitlines()
    assert last.startswith("last (step 8, 4 s, 0.25 PFLOP): class: accuracy 25.00 %")
    assert best.startswith("best (step 4, 2 s, 0.125 PFLOP): class: accuracy 50.00 %")
    assert "no fair score" in best and "fair" not in last


def test_a_run_from_before_they_were_noted(tmp_path):
    run_folder.write_history(str(tmp_path), [row(4, 0.5)])
    assert outcome.write(str(tmp_path), True, None)["last"]["pflop"] is None
    assert outcome.summary(str(tmp_path)).startswith("last (step 4): class")


def test_nothing_scored(tmp_path):
    run_folder.write_history(str(tmp_path), [{"step": 4, "seconds": 2.0, "test": {}}])
    assert outcome.write(str(tmp_path), False, None) == {"interrupted": False}
    assert outcome.summary(str(tmp_path)) == "not evaluated"


def test_what_was_compared_with_is_named(run_dir):
    outcome.write(run_dir, False, {"split": "holdout", "against": "labels"})
    last, best = outcome.summary(run_dir).splitlines()
    assert last.endswith("[labels of the split holdout]")
    assert best.endswith("[chosen on the holdout split, no fair score]")

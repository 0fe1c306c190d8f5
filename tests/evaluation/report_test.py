import base64
import copy
import os
import re
import shutil

import numpy as np
import pytest

from kfer.errors import UserError
from kfer.evaluation import pictures, report, scoring, verdict
from kfer.storage import whole
from kfer.training import run_folder
from tests import runs


@pytest.fixture(autouse=True)
def quick(request, monkeypatch):
    """Figures are one and the same picture, but where a test asks for real ones."""
    if "real_figures" not in request.fixturenames:
        png = pictures.sample_grid(np.zeros((1, 1, 64, 64, 3), np.uint8))
        monkeypatch.setattr(pictures, "_png", lambda figure: png)


@pytest.fixture
def real_figures():
    """Asks for real figures."""


@pytest.fixture
def run(tmp_path):
    """A copy of the run, with predictions and sample grids."""
    path = str(tmp_path / "run")
    shutil.copytree(runs.run(), path)
    part = scoring.Predictions(
        np.array([[0.1, 0.2], [0.3, 0.4]]), np.zeros((2, 2)), np.array([1.0, 0.0])
    )
    scoring.write_predictions(
        os.path.join(path, scoring.PREDICTIONS), {"valence_arousal": part}
    )
    os.makedirs(os.path.join(path, "samples"))
    for step in (4, 8, 12):
        grid = np.full((1, 1, 64, 64, 3), step, np.uint8)
        with open(os.path.join(path, "samples", f"step-{step:06d}.png"), "wb") as file:
            file.write(pictures.sample_grid(grid))
    return path


@pytest.fixture
def rival(run, tmp_path):
    """The same run under another method's name, 10 points better."""
    path = str(tmp_path / "rival")
    shutil.copytree(run, path)
    config = run_folder.read_json(os.path.join(path, "config.json"))
    config["method"] = "joint"
    whole.write_json(os.path.join(path, "config.json"), config)
    metrics = run_folder.read_json(os.path.join(path, "metrics.json"))
    for which in ("last", "best"):
        metrics[which]["test"]["expression"]["accuracy"] += 0.1
    whole.write_json(os.path.join(path, "metrics.json"), metrics)
    rows = run_folder.read_history(path)
    for row in rows:
        row["test"]["expression"]["accuracy"] += 0.1
    run_folder.write_history(path, rows)
    return path


def read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def tables(page: str) -> list[list[str]]:
    """Cells of each table row, without markup."""
    rows = re.findall(r"<tr.*?</tr>", page, flags=re.S)
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)]
        for row in rows
    ]


def test_the_last_model_comes_first_and_the_best_is_marked(run):
    path = report.write_report(run)
    assert path == os.path.join(run, "report.html")
    last, best = (
        run_folder.read_json(os.path.join(run, "metrics.json"))[w]["test"]["expression"]
        for w in ("last", "best")
    )
    rows = [row for row in tables(read(path)) if row[0] == "vgg_all"][:2]
    assert rows[0][:4] == ["vgg_all", "last", "12", f"{100 * last['accuracy']:.2f} %"]
    assert rows[1][:4] == [
        "vgg_all",
        "best (chosen by the test split)",
        "8",
        f"{100 * best['accuracy']:.2f} %",
    ]
    assert rows[0][6] == f"{last['ece']:.4f}"
    assert "That is no fair choice" in read(path)


def test_the_page_needs_nothing_from_outside(run, real_figures):
    page = read(report.write_report(run))
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "http" not in page and "<script" not in page
    figures = re.findall(r"base64,([^\"]*)", page)
    assert all(base64.b64decode(f).startswith(b"\x89PNG") for f in figures)
    assert len(set(figures)) == len(figures)
    captions = re.findall(r"<figcaption>([^<]*)", page)
    assert captions == [
        "expression: clean test accuracy over training steps",
        "valence_arousal: clean test CCC over training steps",
        "Losses in training",
        "Accuracy on noisy training labels (dashed) and clean test labels",
        "expression: confusion of the last model",
        "expression: reliability of the last model&#39;s confidence",
        "valence_arousal: predicted against true",
        "step 4",
        "step 12",
    ]


def test_the_page_tells_settings_command_noise_and_versions(run):
    page = read(report.write_report(run))
    assert "<code>kfer-train --out_dir=run</code>" in page
    config = runs.run_config()
    assert f"<li>recipe.update_order: {config.recipe.update_order}</li>" in page
    assert f"<li>learning_rate: {config.learning_rate}</li>" in page
    assert "in 6 s at 16.0 images/s" in page  # three stretches of 2 s
    assert runs.dataset().content_hash in page
    noise = {row[0]: row[1:] for row in tables(page) if row[-1:] == ["24"]}
    made = runs.dataset().noise["train"]
    achieved = f"{100 * made['annotator_1']['achieved']:.2f} %"
    assert noise["annotator_1"] == [achieved, "20.00 %", "24"]
    rmse = ", ".join(f"{value:.4f}" for value in made["valence_arousal"]["rmse"])
    assert noise["valence_arousal"] == [f"RMSE {rmse}", "", "24"]


def test_rivals_stand_beside_in_tables_and_curves(run, rival, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        pictures, "curves", lambda series, *a, **k: drawn.append(series) or b""
    )
    page = read(report.write_report(run, [rival]))
    rows = [row for row in tables(page) if row[:1] in (["vgg_all"], ["joint"])]
    assert [row[:2] for row in rows[:3]] == [
        ["vgg_all", "last"],
        ["joint", "last"],
        ["vgg_all", "best (chosen by the test split)"],
    ]
    mine, other = (float(row[3].split()[0]) for row in rows[:2])
    assert other == pytest.approx(mine + 10, abs=0.011)
    series = drawn[0]
    assert list(series) == ["vgg_all", "joint"]
    assert series["vgg_all"].steps == [4, 8, 12]
    np.testing.assert_allclose(
        np.subtract(series["joint"].values, series["vgg_all"].values), 0.1
    )
    assert rival in page


def test_two_runs_of_one_method_are_told_apart(run, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        pictures, "curves", lambda series, *a, **k: drawn.append(series) or b""
    )
    twin = str(tmp_path / "twin")
    shutil.copytree(run, twin)
    report.write_report(run, [twin])
    assert list(drawn[0]) == [f"vgg_all ({run})", f"vgg_all ({twin})"]


def test_a_run_without_scores_still_has_a_page(run):
    rows = run_folder.read_history(run)
    for row in rows:
        row["test"] = {}
    run_folder.write_history(run, rows)
    path = os.path.join(run, "metrics.json")
    whole.write_json(path, {"interrupted": True})
    page = read(report.write_report(run))
    assert "The run was not scored." in page and "was interrupted" in page
    assert "no fair choice" not in page
    run_folder.write_history(run, [])
    os.remove(path)
    assert "Nothing was evaluated yet." in read(report.write_report(run))


@pytest.fixture
def judged(run):
    """The run, whose exported model was judged and is better calibrated."""
    last = run_folder.read_json(os.path.join(run, "metrics.json"))["last"]
    scores = copy.deepcopy(last["test"])
    scores["expression"]["ece"] = 0.0266
    found = {"model": "m", "step": 12, "scores": scores, "objections": ["too <bad>"]}
    found |= {"minimum": {"expression/accuracy": 2.0}, "last_blessed": None}
    whole.write_json(os.path.join(run, verdict.EVALUATION), found)
    return run


def test_the_verdict_and_the_exported_models_own_calibration(judged):
    page = report.render(judged, published="It was published as version 7")
    assert "not blessed: too &lt;bad&gt;" in page
    assert "It was published as version 7." in page
    rows = tables(page)
    (asked,) = (row for row in rows if row[0] == "expression/accuracy")
    assert asked[2:] == ["at least 2", "missed"]
    exported, last = [row for row in rows if row[0] == "vgg_all"][:2]
    assert (exported[1], exported[6], last[1]) == ("exported", "0.0266", "last")
    assert last[6] != "0.0266"
    assert "exported model's confidence: expression 0.0266." in page
    captions = re.findall(r"<figcaption>([^<]*)", page)
    assert "expression: reliability of the exported model&#39;s confidence" in captions


def test_a_run_that_was_never_judged_says_nothing_of_it(run):
    page = report.render(run)
    assert "Verdict" not in page and ">exported" not in page


def test_text_from_outside_is_escaped(run):
    path = os.path.join(run, "versions.json")
    versions = run_folder.read_json(path)
    versions["command"] = "kfer-train --out_dir='<b>&'"
    whole.write_json(path, versions)
    page = read(report.write_report(run))
    assert "<b>&" not in page and "&lt;b&gt;&amp;" in page


def test_bad_folders_are_one_line(run, tmp_path):
    with pytest.raises(UserError, match="is no run folder"):
        report.write_report(str(tmp_path))
    with pytest.raises(UserError, match="is no run folder"):
        report.write_report(run, [str(tmp_path)])


def test_numbers():
    assert report.number(0.1234, True) == "12.34 %"
    assert report.number(0.5) == "0.5000"
    assert report.number(None) == report.number(None, True) == "n/a"

"""The page by HTTP: what a browser would get, and what it would send."""

import json
import os
import re
import shutil

import pytest

from kfer.errors import UserError
from kfer.server import pages
from kfer.serving import model_folder, publish
from tests import runs
from tests.server.live import ask, server


@pytest.fixture(scope="module")
def runs_dir(tmp_path_factory):
    """A run, a copy of it that did worse, a damaged one and something else."""
    root = tmp_path_factory.mktemp("runs")
    for name in ("good", "other", "damaged"):
        shutil.copytree(runs.run(), root / name)
    (root / "damaged" / "config.json").write_text("{")
    (root / "notes").mkdir()
    path = root / "other" / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["last"]["test"]["expression"]["accuracy"] = 0.1234
    path.write_text(json.dumps(metrics))
    row = metrics["last"]["test"]["expression"] | {"ece": 0.0266}
    judged = {"model": "m", "step": 12, "scores": {"expression": row}}
    judged |= {"objections": ["too bad"], "last_blessed": None}
    judged["digest"] = model_folder.digest(runs.model())
    (root / "other" / "evaluation.json").write_text(json.dumps(judged))
    secret = root.parent / "secret"
    shutil.copytree(runs.run(), secret, dirs_exist_ok=True)
    return str(root)


@pytest.fixture(scope="module")
def url(runs_dir):
    def routes(service):
        return pages.routes(service, runs_dir)

    base = os.path.join(os.path.dirname(runs_dir), "faces")
    publish.publish(runs.model(), base)
    with server(base, pages=routes) as (found, _):
        yield found


def test_the_start_leads_to_try_it(url):
    status, text = ask(url)
    assert status == 200 and "<h1>Try it</h1>" in text
    assert "faces, version" in text and ">1</span>" in text
    # Russell and Mehrabian's happy, whose arousal points upwards.
    spot = r'<circle cx="0.81" cy="-0.51"[^>]*>'
    assert re.search(spot + r"\s*<text [^>]*>happy", text)


def test_its_files_are_there_and_nothing_is_loaded_from_elsewhere(url):
    for name in re.findall(r'(?:src|href)="(/ui/[a-z.]+\.(?:js|css))"', ask(url)[1]):
        status, text = ask(url + name)
        assert status == 200 and len(text) > 300
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert not re.search(r"https?://", ask(url)[1])


def test_the_runs_are_listed_with_their_scores(url):
    status, text = ask(f"{url}/ui/runs")
    assert status == 200
    assert re.findall(r'name="run" value="(\w+)"', text) == ["good", "other"]
    assert "expression accuracy 0.123" in text and "notes" not in text
    assert "damaged" in text and "Can&#39;t read" in text


def test_a_verdict_is_told_where_there_is_one(url):
    said = "It was published as version 1 of faces, which answers now"
    text = ask(f"{url}/ui/runs")[1]
    assert text.count("not blessed: too bad") == text.count(said) == 1
    status, text = ask(f"{url}/ui/runs/compare?run=other")
    assert status == 200 and "<h2>Verdict</h2>" in text
    assert "not blessed: too bad" in text and f"{said}." in text
    assert "confidence: expression 0.0266." in text
    assert "<h2>Verdict</h2>" not in ask(f"{url}/ui/runs/compare?run=good")[1]


def test_two_runs_are_compared(url):
    status, text = ask(f"{url}/ui/runs/compare?run=good&run=other")
    assert status == 200
    assert "12.34" in text or "0.1234" in text
    assert text.count("data:image/png;base64,") > 3


@pytest.mark.parametrize(
    "query", ["run=../secret", "run=..%2Fsecret", "run=/etc", "run=notes", "run=."]
)
def test_a_name_from_a_browser_is_no_path(url, query):
    status, text = ask(f"{url}/ui/runs/compare?{query}")
    assert status == 400 and "There is no run" in text


def test_what_cannot_be_compared_is_said(url):
    status, text = ask(f"{url}/ui/runs/compare")
    assert status == 400 and "Choose a run to show" in text
    status, text = ask(f"{url}/ui/runs/compare?run=damaged")
    assert status == 400 and "Can&#39;t read" in text
    status, text = ask(f"{url}/ui/runs/compare?run=%3Cscript%3E")
    assert status == 400 and "<script>" not in text


def test_a_folder_of_runs_that_is_none(tmp_path):
    with pytest.raises(UserError, match="is no folder; name one of run folders"):
        pages.routes(None, os.path.join(tmp_path, "none"))

"""The whole audit of a small crowd, and its files."""

import csv
import json

import pytest

from kfer.audit import audit, crowd_files, files, tables
from tests.data import crowded


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crowd") / "set"
    crowded.write(folder)
    return audit.audit(str(folder))


def test_an_audit_reads_crowd_columns(found):
    mood, point = found.summary["crowds"]
    assert (mood["labels"], mood["pictures"], mood["unlabelled"]) == (6, 3, 1)
    assert mood["noise"] == pytest.approx(2 / 6) and mood["judged_by"] == "clean/truth"
    assert point["dimensions"] == ["x", "y"] and point["labels"] == 3
    assert found.summary["classes"] is None
    assert "no annotator gives a class" not in found.summary["notes"]
    text = tables.text(found.summary)
    assert "mood: annotators by clean/truth" in text and "too few labels to say" in text


def test_consensus_by_picture(found):
    texts = crowd_files.consensus_tables(found)
    assert sorted(texts) == ["consensus_mood.csv", "consensus_point.csv"]
    rows = {
        r["image_id"]: r
        for r in csv.DictReader(texts["consensus_mood.csv"].splitlines())
    }
    assert rows["p0"]["labels"] == "3" and rows["p0"]["majority"] == "engaged"
    assert rows["p3"] == {
        "image_id": "p3",
        "labels": "0",
        "majority": "",
        "consensus": "",
        "probability": "",
    }
    rows = {
        r["image_id"]: r
        for r in csv.DictReader(texts["consensus_point.csv"].splitlines())
    }
    assert rows["p1"]["x mean"] == "" and float(rows["p3"]["x mean"]) > 4


def test_files_have_their_digests(found, tmp_path):
    files.write(str(tmp_path), found)
    with open(tmp_path / "audit.json", encoding="utf-8") as file:
        assert "consensus_mood.csv" in json.load(file)["sha256"]
    assert "too few labels to say" in (tmp_path / "audit.html").read_text()

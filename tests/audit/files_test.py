"""What an audit writes: page, table and summary."""

import base64
import csv
import io
import json
import re

import pytest
from PIL import Image

from kfer.audit import audit, files, judgement
from kfer.data import shard_files
from kfer.errors import UserError
from tests.audit import judged, small


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files") / "set"
    small.write(folder)
    return audit.audit(str(folder), command="kfer-audit <b>")


@pytest.fixture(scope="module")
def written(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files") / "audit"
    files.write(str(folder), found)
    return folder


def test_all_files_and_nothing_else(written):
    names = sorted(path.name for path in written.iterdir())
    assert names == ["audit.html", "audit.json", "consensus.csv"]


def test_consensus_table(written):
    with open(written / "consensus.csv", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    names = [f"annotator_{i}" for i in (1, 2, 3, 4)]
    assert head == ["image_id", "consensus", "probability", *names]
    assert rows[2] == ["picture, 2", "dog", rows[2][2], "dog", "dog", "dog", ""]
    assert 0.5 < float(rows[2][2]) <= 1
    assert rows[5] == ["picture, 5", "", "", "", "", "", ""]
    assert len(rows) == 6


def test_summary_names_the_table_it_goes_with(written, found):
    content = json.loads((written / "audit.json").read_text())
    digest = shard_files.sha256(str(written / "consensus.csv"))
    assert content == found.summary | {"sha256": {"consensus.csv": digest}}


def test_page_shows_everything(written):
    text = (written / "audit.html").read_text()
    for words in (
        "Label sets against clean/class",
        "annotator_4 has no label",
        "Fleiss&#39; kappa",
        "Values against the mean of the others",
        "CCC of two label sets, arousal",
    ):
        assert words in text, words
    assert "<b>" not in text.split("<code>")[1].split("</code>")[0]
    pictures = re.findall(r"data:image/png;base64,([^\"]+)", text)
    # Agreement and kappa, 4 annotators, first, vote, consensus, and two CCC tables.
    assert len(pictures) == 2 + 7 + 2
    for data in pictures:
        Image.open(io.BytesIO(base64.b64decode(data))).verify()


def test_a_place_that_cannot_be_written(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Can't write to .*file.*choose another"):
        files.write(str(tmp_path / "file"), found)


def test_with_a_model_there_are_its_labels_too(tmp_path):
    sets = judged.sets()
    judgement_ = judgement.judge(judged.found(sets), judged.answers())
    summary = {"model": judgement_.summary, "notes": [], "values": [], "split": "train"}
    summary |= {"provenance": {"data": {"name": "a", "root": "/a"}}, "pictures": 6}
    summary["classes"] = audit.of_classes(sets)[0]
    summary["missing"] = {}
    one = judged.found(sets)._replace(summary=summary)
    picture = {"image_id": "d", "uri": "data:x", "proposed": "sad", "truth": "sad"}
    picture["given"] = {
        "annotator_2": {"label": "happy", "suspicion": "0.99", "changed": True}
    }
    shown = [{"title": "Most suspicious classes", "pictures": [picture]}]
    paths = files.write(str(tmp_path / "out"), one, judgement_, shown)
    names = [path.rsplit("/", 1)[1] for path in paths]
    assert names == ["audit.html", "consensus.csv", "corrected.csv", "audit.json"]
    with open(paths[2], encoding="utf-8", newline="") as file:
        head, first, *_ = csv.reader(file)
    heads = ["image_id", "column", "given", "proposed", "suspicion", "why"]
    assert head == heads and first[1] == "annotator_1"
    content = json.loads((tmp_path / "out" / "audit.json").read_text())
    digest = shard_files.sha256(paths[2])
    assert content["sha256"]["corrected.csv"] == digest
    assert content["model"]["run"]["step"] == 12
    page = (tmp_path / "out" / "audit.html").read_text()
    assert '<img src="data:x" alt="d">' in page
    assert "<td>annotator_2</td><td><b>happy</b></td><td>0.99</td>" in page
    assert "With the model of /runs/a: joint, step 12." in page
    assert "annotator_3 by model+annotators: percent" in page

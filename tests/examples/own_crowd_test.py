"""examples/own_crowd.sh: commands from a table of 40 people to a served model."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from kfer.data import dataset as dataset_lib
from kfer.serving import model_folder

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "own_crowd.sh"
PICTURES, PEOPLE = 60, 40
SMALL = ("--width=0.125", "--image_size=32", "--steps=4")


def write(folder):
    """Pictures that are dark or bright, rated by five of forty people each: what they
    feel, with one in five wrong, and a valence from 1 to 9 with decimal commas."""
    rng = np.random.default_rng(5)
    (folder / "photos").mkdir()
    rows = ["photo;rater;mood;valence"]
    for i in range(PICTURES):
        bright = i % 2
        pixels = rng.integers(0, 90, (36, 36, 3)) + 160 * bright
        cv2.imwrite(str(folder / "photos" / f"{i}.png"), pixels.astype(np.uint8))
        for who in rng.choice(PEOPLE, 5, replace=False):
            said = bright ^ int(rng.random() < 0.2)
            value = np.clip(3.0 + 4.0 * bright + rng.normal(), 1, 9)
            cell = f"{value:.1f}".replace(".", ",")
            rows.append(f"{i}.png;w{who:02d};{('bored', 'engaged')[said]};{cell}")
    (folder / "ratings.csv").write_text("\n".join(rows) + "\n")


def commands(text):
    """The kfer commands of a script or document."""
    return re.findall(r"^(kfer-\w+(?: import)?) ", text, re.MULTILINE)


@pytest.mark.slow
def test_the_commands_end_with_the_served_model_s_answer_and_a_report(tmp_path):
    write(tmp_path)
    out = tmp_path / "out"
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    done = subprocess.run(
        [
            "sh",
            SCRIPT,
            tmp_path / "ratings.csv",
            tmp_path / "photos",
            out,
            "--labels=mood",
            "--scale=valence=1:9",
            "--",
            *SMALL,
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    data = dataset_lib.load(str(out / "data"))
    people = data.columns["mood"].annotators
    assert len(people) == PEOPLE == len(data.columns["valence"].annotators)
    assert (data.columns["valence"].low, data.columns["valence"].high) == (-1.0, 1.0)
    audited = json.loads((out / "audit" / "audit.json").read_text())
    found = {crowd["column"]: crowd for crowd in audited["crowds"]}
    assert set(found) == {"mood", "valence"}
    assert "w07" in (out / "audit" / "audit.html").read_text()
    served = model_folder.read_description(str(out / "served" / "1"))
    assert served["details"]["data"] == data.content_hash
    lines = done.stdout.splitlines()
    predicted = [line for line in lines if "photos/0.png" in line]
    answer = json.loads(lines[-1])
    assert answer["path"] == str(tmp_path / "photos" / "0.png")
    assert sum(answer["mood"]) == pytest.approx(1, abs=1e-5)
    assert answer["mood_class"] in ("bored", "engaged")
    assert -1 <= answer["valence"][0] <= 1
    assert len(predicted) == 2, done.stdout  # by kfer-predict, and by the server


def test_the_guide_has_the_same_commands():
    guide = (ROOT / "docs" / "guide" / "own_data.md").read_text()
    names = ("train", "audit", "export", "predict", "serve")
    all_of = ["kfer-data import", *(f"kfer-{name}" for name in names)]
    assert commands(SCRIPT.read_text()) == all_of
    assert commands(guide)[:6] == all_of
    assert commands((ROOT / "README.md").read_text())[:6] == all_of

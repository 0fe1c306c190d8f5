"""benchmarks/accuracy.py as a command, on a few small pictures."""

import json
import os
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from benchmarks import curve
from kfer.data.datasets import ReaderOptions, ferplus
from kfer.preprocess import job
from kfer.preprocess.transforms import Settings

SMALL = ("backbone=compact_xs", "epochs=1", "batch_size=8")


@pytest.mark.slow
def test_votes_of_ferplus_in_one_line(tmp_path):
    ferplus.make_fake_root(str(tmp_path / "raw"), 60, np.random.default_rng(0))
    options = ReaderOptions(num_classes=8, official_test=True)
    settings = Settings("", image_size=32, image_format="png")
    paths = str(tmp_path / "raw"), str(tmp_path / "data")
    data = job.run(job.Job("ferplus", *paths, options, settings))
    done = subprocess.run(
        [
            sys.executable,
            os.path.join("benchmarks", "accuracy.py"),
            "--target=ferplus_votes",
            f"--data_dir={data.root}",
            f"--out_dir={tmp_path / 'runs'}",
            "--seeds=2",
            "--mixed_precision=bfloat16",
            "--eval_every=3",
            *(f"--set={text}" for text in (*SMALL, "image_size=32")),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["changed"]["epochs"] == 1 and line["reach"] == 0.865
    assert line["test"] == {"clean/expression": data.splits["test"].num_records}
    assert line["mixed_precision"] == "bfloat16"
    assert line["data"] == {"name": "ferplus", "content_hash": data.content_hash}
    found = line["by_seed"]
    assert len(found) == 2 and np.mean(found) == pytest.approx(line["accuracy"])
    runs = tmp_path / "runs"
    assert line["curve"] == str(runs / "ferplus_votes_bfloat16.png")
    with PIL.Image.open(line["curve"]) as picture:
        assert picture.format == "PNG" and picture.width > picture.height
    with open(runs / "ferplus_votes_bfloat16_1" / "versions.json") as file:
        assert "--mixed_precision=bfloat16" in json.load(file)["command"]
    with open(runs / "ferplus_votes_bfloat16_0" / "history.jsonl") as file:
        assert [json.loads(row)["step"] for row in file] == [3, 4]
    with open(runs / "ferplus_votes_bfloat16_0" / "config.json") as file:
        (task,) = json.load(file)["tasks"]
    assert (task["column"], task["target"]) == ("votes", "expression")


def test_points_of_a_history():
    rows = [
        {"total_seconds": 5.0, "pflop": 0.1, "test": {"class": {"accuracy": 0.5}}},
        {"total_seconds": 9.0, "pflop": 0.2, "test": {}},  # not scored
        {"test": {"class": {"accuracy": 0.6}}},  # of an old run: its cost is unknown
        {"total_seconds": 14.0, "pflop": 0.3, "test": {"class": {"accuracy": 0.75}}},
    ]
    assert curve.points(rows) == [(5.0, 0.1, 50.0), (14.0, 0.3, 75.0)]


RATIO = """
import sys
sys.path.insert(0, "benchmarks")
import accuracy
print(accuracy.against_2021(accuracy.images_per_second_2021(sys.argv[1]), 1000.0))
"""


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("echo '{\"images_per_second\": 10}'", "'times_faster': 500.0"),
        ("echo no torch >&2; exit 1", "can't time the 2021 step: no torch"),
    ],
)
def test_the_2021_step_beside_it(tmp_path, says, found):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{says}\n")
    python.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", RATIO, str(python)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found in done.stdout + done.stderr

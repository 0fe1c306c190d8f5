"""The real FER+ through the whole job."""

import os
import subprocess
import sys

import pytest

from kfer.data import verification
from kfer.data.datasets import ReaderOptions
from kfer.preprocess import job
from kfer.preprocess.transforms import Settings

UNPACK = os.path.join("..", "shared", "data", "unpack.py")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists(UNPACK), reason=f"{UNPACK} is absent")
def test_the_real_set(tmp_path):
    subprocess.run([sys.executable, UNPACK, "ferplus", str(tmp_path)], check=True)
    dataset = job.run(
        job.Job(
            "ferplus",
            str(tmp_path / "ferplus"),
            str(tmp_path / "out"),
            ReaderOptions(num_classes=8),
            Settings("", image_size=64),
            processes=2,
        )
    )
    assert dataset.notes["rows"] == 35710
    # Leaks come first: 15 of the 512 pictures without an expression are leaks too.
    assert dataset.rejected == {
        "leak: test picture also in train": 288,
        "leak: test picture also in valid": 26,
        "leak: valid picture also in train": 279,
        "no expression: no_face": 4,
        "no expression: unknown": 500,
    }
    assert {k: v.num_records for k, v in dataset.splits.items()} == {
        "train": 28150,
        "valid": 3250,
        "test": 3213,
    }
    # One vote of ten disagrees with the most-voted class in 22 to 23 of 100 pictures.
    for name in ("annotator_1", "annotator_2", "annotator_3"):
        assert dataset.noise["train"][name]["achieved"] == pytest.approx(
            0.227, abs=0.01
        )
    verification.verify(dataset)

"""A killed job leaves no data set, and the next one cleans up."""

import glob
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from kfer.data.datasets import ReaderOptions, raf
from kfer.preprocess import job, leftovers
from kfer.preprocess.transforms import Settings


@pytest.mark.slow
def test_a_killed_job_leaves_no_data_set_and_the_next_succeeds(tmp_path):
    raf.make_fake_root(str(tmp_path / "raf"), 600, np.random.default_rng(0))
    command = [sys.executable, "-m", "kfer.bin.preprocess_main", "--dataset=raf"]
    command += [f"--source_dir={tmp_path}/raf", f"--out_dir={tmp_path}/out"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        pattern = str(tmp_path / ".out.partial-*" / "work" / "chunk-*")
        deadline = time.monotonic() + 200
        while not glob.glob(pattern) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert glob.glob(str(tmp_path / ".out.partial-*"))
    assert not os.path.exists(tmp_path / "out")
    dataset = job.run(
        job.Job(
            "raf",
            str(tmp_path / "raf"),
            str(tmp_path / "out"),
            ReaderOptions(),
            Settings("", image_size=32),
        )
    )
    assert dataset.notes["written"] == 600
    assert sorted(os.listdir(tmp_path)) == ["out", "raf"]


def test_leftovers_of_a_living_job_stay(tmp_path):
    work = tmp_path / ".out.partial-abc" / "work"
    work.mkdir(parents=True)
    with leftovers.owned(str(tmp_path)) as mine:
        os.rename(os.path.join(mine, leftovers.OWNER), work / leftovers.OWNER)
        leftovers.remove(str(tmp_path / "out"))
        assert work.exists()
    owner = json.loads((work / leftovers.OWNER).read_text())
    (work / leftovers.OWNER).write_text(
        json.dumps(owner | {"host": "elsewhere", "pid": 1})
    )
    leftovers.remove(str(tmp_path / "out"))
    assert work.exists()
    (work / leftovers.OWNER).write_text(json.dumps(owner | {"start": "long ago"}))
    leftovers.remove(str(tmp_path / "out"))
    assert not work.exists()

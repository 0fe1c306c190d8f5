"""kfer-preprocess on Dask's workers, one of which is killed while it works."""

import glob
import os

import numpy as np
import pytest

from kfer.data.datasets import raf
from tests.bin.processes import run
from tests.preprocess import dask_workers
from tests.preprocess.job_test import content

ROWS = 1200  # five chunk files


@pytest.mark.slow
def test_a_killed_worker_changes_no_byte(tmp_path):
    root = tmp_path / "raf"
    raf.make_fake_root(str(root), ROWS, np.random.default_rng(0))
    words = ("--dataset=raf", f"--source_dir={root}", "--image_size=32")
    here, there = tmp_path / "here", tmp_path / "there"
    status, _, errors = run("preprocess", *words, f"--out_dir={here}")
    assert status == 0, errors

    def begun():
        return bool(glob.glob(f"{tmp_path}/.there.partial-*/work/spill-*"))

    with dask_workers.cluster(3) as cluster:
        with dask_workers.killing(cluster, begun) as killed:
            flags = dask_workers.flags_of(cluster)
            status, _, errors = run(
                "preprocess", *words, f"--out_dir={there}", "--verify", *flags
            )
    assert status == 0, errors
    assert len(killed) == 1 and "Traceback" not in errors
    assert content(here) == content(there)
    assert sorted(os.listdir(tmp_path)) == ["here", "raf", "there"]

"""The Beam job on workers that don't share the driver's /tmp."""

import numpy as np
import pytest

from kfer.data.datasets import raf
from kfer.errors import UserError
from tests import remote_workers
from tests.preprocess.job_test import content, prepare


@pytest.fixture
def shared():
    with remote_workers.shared_folder() as folder:
        yield folder


@pytest.mark.slow
def test_remote_workers_write_the_same_bytes_or_nothing(shared, tmp_path):
    raf.make_fake_root(f"{shared}/raf", 40, np.random.default_rng(0))
    prepare("raf", f"{shared}/raf", tmp_path / "here")
    with remote_workers.beam_args() as remote:
        args = {"beam_args": tuple(remote)}
        prepare("raf", f"{shared}/raf", f"{shared}/there", **args)
        assert content(tmp_path / "here") == content(f"{shared}/there")
        # /tmp is another one there: neither chunks nor shards are seen.
        with pytest.raises(UserError, match="Beam's workers must reach"):
            prepare("raf", f"{shared}/raf", tmp_path / "lost", **args)
    assert not (tmp_path / "lost").exists()

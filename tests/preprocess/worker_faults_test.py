"""A disk that is full while Beam's workers write: one line, nothing left."""

import errno
import logging
import os

import numpy as np
import pytest

from kfer.data.datasets import raf
from kfer.errors import UserError
from kfer.preprocess import spill, worker_faults
from tests.preprocess.job_test import prepare


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_in_a_worker_is_one_line(tmp_path, monkeypatch):
    raf.make_fake_root(str(tmp_path / "raf"), 8, np.random.default_rng(0))
    monkeypatch.setattr(spill, "write", full)
    with pytest.raises(UserError, match=r"out: No space left on device; .* Free space"):
        prepare("raf", tmp_path / "raf", tmp_path / "out")
    assert os.listdir(tmp_path) == ["raf"]


def test_another_fault_of_a_worker_stays_what_it_is(tmp_path, monkeypatch):
    raf.make_fake_root(str(tmp_path / "raf"), 8, np.random.default_rng(0))
    monkeypatch.setattr(spill, "write", lambda *_: 1 / 0)
    with pytest.raises(Exception, match="division by zero"):
        prepare("raf", tmp_path / "raf", tmp_path / "out")
    assert os.listdir(tmp_path) == ["raf"]


def test_what_tensorflow_says_of_a_disk():
    text = "RuntimeError: tensorflow.python.framework.errors_impl.ResourceExhaustedError: /a/b; No space left on device [while running 'WriteShard']"
    with pytest.raises(OSError, match="No space left") as caught:
        with worker_faults.told("/w"):
            raise RuntimeError(text)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(RuntimeError, match="another matter"):
        with worker_faults.told("/w"):
            raise RuntimeError("errors_impl.InvalidArgumentError: another matter")


def test_beam_does_not_log_what_becomes_one_line(caplog):
    log = logging.getLogger("apache_beam.runners.common")
    with worker_faults.told("/w"):
        try:
            full()
        except OSError as error:
            log.exception("%s", error)
        log.error("another matter")
    log.error("OSError: [Errno 28] that came later")
    assert [record.getMessage()[:7] for record in caplog.records] == [
        "another",
        "OSError",
    ]

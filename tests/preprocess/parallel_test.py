"""Decoding in several processes."""

import os

import numpy as np

from kfer.data.fake_roots import faces
from kfer.data.record import RawExample
from kfer.preprocess import parallel
from kfer.preprocess.transforms import Settings


def examples(count):
    rng = np.random.default_rng(0)
    for index in range(count):
        image, eyes, box = faces.face(rng)
        image = b"bad" if index == 40 else image
        yield RawExample(str(index), "train", image, {}, {}, "f:1", eyes, box)


def test_processes_give_what_one_gives_in_the_same_order():
    given = list(examples(70))
    settings = Settings("", image_size=32)
    expected = parallel.prepare_all(given, settings)
    assert expected[40].reason == "not an image"
    with parallel.processes(2):
        assert parallel.prepare_all(given, settings) == expected
        assert parallel.prepare_all([], settings) == []
    assert not parallel._POOLS


def test_processes_only_where_beam_runs_in_this_one():
    cores = len(os.sched_getaffinity(0))
    assert parallel.default_count([]) == cores
    assert parallel.default_count(["--runner=FnApiRunner"]) == cores
    assert parallel.default_count(["--runner=FlinkRunner"]) == 1
    args = ["--direct_running_mode=multi_processing"]
    assert parallel.default_count(args) == 1

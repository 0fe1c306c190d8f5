import time

import numpy as np
import pytest

from kfer.serving import latency


def test_the_median_leaves_out_the_first_two_calls(monkeypatch):
    # Calls of 9 and 8 s that warm up, then 1, 5 and 2.
    clock = iter(np.cumsum([0, 9, 0, 8, 0, 1, 0, 5, 0, 2]))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    calls = []
    assert latency.milliseconds(lambda: calls.append(1), 3) == 2000.0
    assert len(calls) == 5


def test_both_batches_are_measured():
    shapes = []
    found = latency.measure(lambda images: shapes.append(images.shape), 32, repeats=1)
    assert shapes == [(1, 32, 32, 3)] * 3 + [(64, 32, 32, 3)] * 3
    assert list(found) == [1, 64] and all(taken > 0 for taken in found.values())


def test_describe():
    assert latency.describe({1: 8.0, 64: 320.0}) == (
        "batch 1 8.0 ms (125 images/s), batch 64 320.0 ms (200 images/s)"
    )


def test_images_are_in_range():
    def answers(images):
        assert images.dtype == np.float32
        assert -1 <= images.min() < -0.9 and 0.9 < images.max() <= 1

    with pytest.raises(ZeroDivisionError):
        latency.measure(lambda images: (answers(images), 1 / 0), 32)

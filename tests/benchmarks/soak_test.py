import os
import time

import pytest

from benchmarks import soak


def test_a_slope_by_hand():
    # Eight samples: the first quarter is left out, then 2 MB a sample.
    values = [500.0, 90.0, 100, 102, 104, 106, 108, 110]
    assert soak.slope(values, 1.0) == pytest.approx(16.0)  # 8 samples of 2 MB
    assert soak.slope(values, 0.25) == pytest.approx(4.0)
    assert soak.slope([7.0] * 8, 1.0) == pytest.approx(0.0)


def test_memory_of_a_process():
    assert 10 < soak.resident_mb(os.getpid()) < 100_000
    assert soak.resident_mb(2**22 + 1) == 0.0


def test_asking_ends_at_the_count_or_at_the_time():
    def ask():
        return [(200, 0.1), (400, 0.1)]

    soon = time.monotonic() + 60
    found = soak._until(100, soon, ask)
    # Up to one answer more of each of the four that ask.
    assert 100 <= len(found) <= 108 and found.count(200) == len(found) // 2
    assert soak._until(100, time.monotonic(), ask) == []

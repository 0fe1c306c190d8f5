"""Processes that decode and align beside the job's own, for the in-memory runner.

Decoding small pictures spends most of its time holding Python's lock, so threads gain
little. The processes are spawned, not forked: the job has threads of Beam and
TensorFlow by then. They import neither, and end by themselves when the job is killed.
"""

import contextlib
import functools
import multiprocessing
import multiprocessing.pool
import os
from collections.abc import Iterator, Sequence

from kfer.data.record import RawExample, Rejected
from kfer.faces.detectors import Detector
from kfer.preprocess import transforms
from kfer.preprocess.transforms import Prepared, Settings

_POOLS: list[multiprocessing.pool.Pool] = []
PER_TASK = 16


@functools.cache
def _detector(name: str) -> Detector:
    return Detector(name)


def _start() -> None:
    import cv2

    # One picture a process at a time: OpenCV's own threads would compete.
    cv2.setNumThreads(1)


def default_count(beam_args: Sequence[str]) -> int:
    """One for each core where Beam runs in this process alone, else 1."""
    words = " ".join(beam_args)
    alone = "multi_" not in words and ("runner" not in words or "FnApi" in words)
    return len(os.sched_getaffinity(0)) if alone else 1


@contextlib.contextmanager
def processes(count: int) -> Iterator[None]:
    """Has prepare_all use `count` processes inside the block; 1 uses the caller's
    own."""
    if count <= 1:
        yield
        return
    pool = multiprocessing.get_context("spawn").Pool(count, _start)
    _POOLS.append(pool)
    try:
        yield
    finally:
        _POOLS.remove(pool)
        pool.terminate()
        pool.join()


def prepare_all(
    examples: Sequence[RawExample], settings: Settings
) -> list[Prepared | Rejected]:
    """transforms.prepare of each, in order."""
    if not _POOLS:
        return _prepare_some(settings, examples)
    parts = [examples[i : i + PER_TASK] for i in range(0, len(examples), PER_TASK)]
    task = functools.partial(_prepare_some, settings)
    return [item for part in _POOLS[-1].map(task, parts, 1) for item in part]


def _prepare_some(
    settings: Settings, examples: Sequence[RawExample]
) -> list[Prepared | Rejected]:
    return [
        transforms.prepare(e, settings, _detector(settings.detector)) for e in examples
    ]

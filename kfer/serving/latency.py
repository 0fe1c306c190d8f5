"""How long a model takes to answer."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

BATCH_SIZES = (1, 64)


def milliseconds(call: Callable[[], Any], repeats: int) -> float:
    """Median time of a call, after two that don't count."""
    taken = []
    for _ in range(repeats + 2):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken[2:]))


def measure(
    answers: Callable[[Any], Any], image_size: int, repeats: int = 10
) -> dict[int, float]:
    """Batch size -> milliseconds of a batch of BATCH_SIZES.

    Args:
      answers: takes float32 images [B, S, S, 3] in [-1, 1].
      image_size: S.
      repeats: timed calls of a batch size.
    """
    rng = np.random.default_rng(0)
    found = {}
    for size in BATCH_SIZES:
        shape = (size, image_size, image_size, 3)
        images = rng.uniform(-1.0, 1.0, shape).astype(np.float32)
        found[size] = milliseconds(lambda images=images: answers(images), repeats)
    return found


def describe(found: dict[int, float]) -> str:
    """`measure` in words."""
    parts = [
        f"batch {size} {taken:.1f} ms ({1000 * size / taken:.0f} images/s)"
        for size, taken in found.items()
    ]
    return ", ".join(parts)

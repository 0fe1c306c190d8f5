"""The process in which one reader is fuzzed: a crash ends it, and the parent sees it.

python -m benchmarks.fuzzing.child TARGET SEED START COUNT SECONDS FOLDER

Writes the number of the input it works on into FOLDER/at before it reads it, and one
JSON line at the end. Input n of a seed is the same whatever came before.
"""

import json
import os
import resource
import struct
import sys
import time
import traceback
from collections import Counter
from typing import Any

import numpy as np

AT = "at"
NONE = -1  # of the inputs: the process begins or ends
_SHOWN = 5


def main(
    name: str, seed: int, start: int, count: int, seconds: float, folder: str
) -> None:
    """Fuzzes until the count or the processor's seconds are reached."""
    made = target(name, folder)
    # What a first use costs (imports, traces) is not the first broken input's.
    made.run(made.good if isinstance(made.good, bytes) else made.good[0])
    with open(os.path.join(folder, AT), "wb", buffering=0) as at:
        found = loop(made, at, (seed, start, count), seconds)
        _tell(at, NONE)
    print(json.dumps(found))


def target(name: str, folder: str) -> Any:
    """A reader with its good bytes, ready to be given others; it may use `folder`."""
    from benchmarks.fuzzing import tables

    known = tables.TARGETS
    if name not in known:
        from benchmarks.fuzzing import stored

        known = stored.TARGETS
    return known[name](os.path.join(folder, name))


def loop(reader: Any, at: Any, which: tuple[int, int, int], seconds: float) -> dict:
    """Reads input after input; what happened, in numbers.

    Args:
      reader: see `target`.
      at: file that gets the number of the input that is read.
      which: seed, first input, inputs at most.
      seconds: of the processor, at most.
    """
    seed, start, count = which
    outcomes: Counter = Counter()
    faults: dict[str, int] = {}
    slowest, before = (0.0, -1), _peak_mb()
    end, index = _spent() + seconds, start
    while index < start + count and _spent() < end:
        _tell(at, index)
        data, records = reader.mutated(np.random.default_rng([seed, index]))
        began = time.process_time()
        try:
            outcomes += reader.run(data)
        except (Exception, RecursionError) as error:
            faults.setdefault(_where(error), index)
            outcomes["faults"] += 1
        slowest = max(slowest, (time.process_time() - began, index))
        outcomes["records"] += records
        index += 1
    return {
        "inputs": index - start,
        "outcomes": dict(outcomes),
        "faults": dict(list(faults.items())[:_SHOWN]),
        "slowest_s": round(slowest[0], 3),
        "slowest_input": slowest[1],
        "peak_mb": round(_peak_mb()),
        "grown_mb": round(_peak_mb() - before),
    }


def _spent() -> float:
    """Seconds of a processor, with those of ended children, which read Parquet."""
    return sum(os.times()[:4])


def _tell(at: Any, index: int) -> None:
    at.seek(0)
    at.write(struct.pack("<q", index))


def _where(error: Exception) -> str:
    """What was raised and the last of kfer's lines that it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "/kfer/" in f.filename] or frames
    name = os.path.basename(ours[-1].filename)
    return f"{type(error).__name__} at {name}:{ours[-1].lineno}: {str(error)[:120]}"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    _name, *_numbers, _seconds, _folder = sys.argv[1:]
    main(_name, *map(int, _numbers), float(_seconds), _folder)

"""Fuzzes each reader in a process of its own and adds up what happened."""

import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any

from benchmarks.fuzzing import child

# Of the processor's time, so that a busy machine makes no hang; of the clock's, the
# others, within which a process that waits for ever is seen: at an input, and at its
# start, which imports and makes good files, for some of them a trained model.
HANG_SECONDS = 10.0
STUCK_SECONDS = 180.0
START_SECONDS = 1800.0
_MOST_DEATHS = 20


def fuzz(target: str, seed: int, count: int, seconds: float) -> dict[str, Any]:
    """Feeds a reader broken inputs until the count or the seconds are reached.

    Args:
      target: of tables.TARGETS or stored.TARGETS.
      seed: rules every input.
      count: inputs at most.
      seconds: of a processor at most, without the process's start.

    Returns:
      target, seed, inputs, outcomes (read, set_aside, refused_files, files, records,
      faults: another exception than the reader may raise), crashes and hangs with the
      numbers of their inputs, slowest_s (of a processor), peak_mb, grown_mb.
    """
    total: dict[str, Any] = {"target": target, "seed": seed, "inputs": 0}
    outcomes: Counter = Counter()
    faults: dict[str, int] = {}
    crashes, hangs, worst = [], [], Counter()
    next_input, left = 0, seconds
    while next_input < count and left > 0 and len(crashes + hangs) < _MOST_DEATHS:
        found, at, why = _once(target, seed, next_input, count - next_input, left)
        # One that died doesn't tell its time; there are few, see _MOST_DEATHS.
        left = left if found is None else 0.0
        if found is None:
            (hangs if why == "hang" else crashes).append([at, why])
            next_input = at + 1
            continue
        next_input += found["inputs"]
        outcomes += Counter(found["outcomes"])
        faults |= found["faults"]
        for key in ("slowest_s", "peak_mb", "grown_mb"):
            worst[key] = max(worst[key], found[key])
    total |= {"inputs": next_input, "outcomes": dict(outcomes), "faults": faults}
    return total | {"crashes": crashes, "hangs": hangs, **worst}


def _once(
    target: str, seed: int, start: int, count: int, seconds: float
) -> tuple[dict | None, int, str]:
    """One child to its end: what it says; or at which input it died, and of what."""
    folder = tempfile.mkdtemp(prefix="kfer-fuzz-")
    words = map(str, (target, seed, start, count, seconds, folder))
    log = os.path.join(folder, "log")
    try:
        with open(log, "wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.fuzzing.child", *words],
                stdout=subprocess.PIPE,
                stderr=errors,
                preexec_fn=_no_core,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
            hung = _watch(process, os.path.join(folder, child.AT))
            text = process.communicate()[0]
        at = max(start, _number(os.path.join(folder, child.AT)))
        if hung:
            return None, at, "hang"
        if process.returncode > 0:
            with open(log, encoding="utf-8", errors="replace") as said:
                raise RuntimeError(f"{target} did not start: {said.read()[-2000:]}")
        if process.returncode < 0:
            return None, at, f"signal {-process.returncode}"
        return json.loads(text.splitlines()[-1]), at, ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _no_core() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _number(path: str) -> int:
    try:
        with open(path, "rb") as file:
            return struct.unpack("<q", file.read(8))[0]
    except (OSError, struct.error):
        return child.NONE


def _watch(process: subprocess.Popen, path: str) -> bool:
    """Waits for the end; kills a process that stays at one input; whether it did.

    Raises:
      RuntimeError: it came to no input, or from the last to no end.
    """
    seen, since, spent = child.NONE, time.monotonic(), 0.0
    while process.poll() is None:
        time.sleep(0.05)
        number = _number(path)
        if number != seen:
            seen, since, spent = number, time.monotonic(), _processor(process.pid)
        waited = time.monotonic() - since
        if seen == child.NONE:
            if waited > START_SECONDS:
                process.kill()
                raise RuntimeError(f"neither an input nor the end in {waited:.0f} s")
            continue
        busy = _processor(process.pid) - spent > HANG_SECONDS
        if busy or waited > STUCK_SECONDS:
            process.kill()
            return True
    return False


def _processor(pid: int) -> float:
    """Seconds of a processor that a process has had; 0 where it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

"""Memory over many training steps and many served requests; one JSON line each.

python -m benchmarks.soak --steps=2000 --requests=200000 [--seconds=3600]

Trains a tiny model on drawn faces, publishes it and asks kfer-serve until `--requests`
were answered or `--seconds` are over, and samples the process's resident memory once a
second. The slope is that of a straight line through the last three quarters, in MB per
1,000 steps or 10,000 requests.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

_TINY = (
    *("--experiment=synthetic_faces", "--method=joint", "--set=width=0.125"),
    *("--set=noise_size=8", "--set=embedding_size=64", "--batch_size=8"),
    "--set=gan_start_epoch=-1",
)
_CLIENTS = 4


def resident_mb(pid: int) -> float:
    """Memory of a process that lies in RAM; 0 if it has ended."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def slope(values: Sequence[float], per: float) -> float:
    """Rise of a straight line through the last three quarters of evenly taken values.

    Args:
      values: two at least in the last three quarters.
      per: how many of what was done in all the rise is told for, as a share: 0.5 for
        the rise of half of it.
    """
    kept = np.asarray(values[len(values) // 4 :])
    rise = np.polyfit(np.arange(len(kept)), kept, 1)[0]
    return float(rise * len(values) * per)


class Watch(threading.Thread):
    """Samples a process's memory once a second until `done`."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.done, self.values = pid, threading.Event(), []
        self.start()

    def run(self) -> None:
        while not self.done.wait(1.0):
            if now := resident_mb(self.pid):
                self.values.append(now)

    def told(self, count: int, unit: int, name: str) -> dict[str, float]:
        """What is printed of `count` things that were done."""
        self.done.set()
        self.join()
        return {
            "samples": len(self.values),
            "first_mb": round(self.values[0]),
            "peak_mb": round(max(self.values)),
            "last_mb": round(self.values[-1]),
            f"slope_mb_per_{unit}_{name}": round(slope(self.values, unit / count), 3),
        }


def _kfer(name: str, *words: str) -> list[str]:
    return [sys.executable, "-m", f"kfer.bin.{name}_main", *words]


def train(folder: str, steps: int) -> dict[str, float]:
    """Trains in a process of its own, with evaluations, checkpoints and samples."""
    data, run = f"{folder}/data", f"{folder}/run"
    few = ("--dataset=synthetic_faces", "--num_train=256", "--num_test=64")
    subprocess.run(_kfer("data", "make", *few, f"--out_dir={data}"), check=True)
    words = (*_TINY, f"--steps={steps}", f"--eval_every={max(1, steps // 20)}")
    places = (f"--data_dir={data}", f"--out_dir={run}", "--noexport")
    began = time.monotonic()
    process = subprocess.Popen(_kfer("train", *words, *places))
    watch = Watch(process.pid)
    if process.wait():
        raise SystemExit("the training failed")
    seconds = {"seconds": round(time.monotonic() - began)}
    return {"steps": steps} | seconds | watch.told(steps, 1000, "steps")


def serve(folder: str, count: int, seconds: float) -> dict[str, float]:
    """Asks kfer-serve from several connections until the count or the time is over."""
    from benchmarks import server_load

    base = f"{folder}/served"
    words = (f"--run={folder}/run", f"--publish={base}", "--calibrate_on=none")
    subprocess.run(_kfer("export", *words), check=True)
    bodies = server_load.requests(100, 32, 10)
    with server_load.server(base, "faces") as (url, pid):
        server_load.client(url, "faces", bodies)
        watch = Watch(pid)
        began = time.monotonic()
        rows = _until(
            count,
            began + seconds,
            lambda: server_load.client(url, "faces", bodies),
        )
        taken = round(time.monotonic() - began)
        statuses = {str(s): sum(r == s for r in rows) for s in sorted(set(rows))}
        told = watch.told(len(rows), 10_000, "requests")
    return {"requests": len(rows), "statuses": statuses, "seconds": taken} | told


def _until(
    count: int, end: float, ask: Callable[[], list[tuple[int, float]]]
) -> list[int]:
    """The statuses of what several threads ask, until `count` or until then."""
    found: list[int] = []

    def work() -> None:
        while len(found) < count and time.monotonic() < end:
            found.extend(status for status, _ in ask())

    threads = [threading.Thread(target=work) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Soaks both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=300.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kfer-soak-") as folder:
        print(json.dumps({"soak": "train"} | train(folder, chosen.steps)), flush=True)
        served = serve(folder, chosen.requests, chosen.seconds)
        print(json.dumps({"soak": "serve"} | served), flush=True)


if __name__ == "__main__":
    main()

"""Trains the rows of a bundle one after the other, and goes on where it stopped.

python3 resume.py --out=DIR --minutes=9

Lies at the root of what bundle.py packed; needs jax, NumPy and Pillow. Every call of
the same command goes on from DIR, after a kill too, until all rows have all epochs:
  epochs.jsonl   one line an epoch of every row, see run_step.py
  ROW/           a row's checkpoint, curves, weights and drawn pictures
It exits with 0 when nothing is left, with 75 when time is up, and with 1 when rows
failed; the others are trained all the same.
"""

import argparse
import json
import os
import sys
import time
import traceback
from typing import Any

import numpy as np
import run_step

HERE = os.path.dirname(os.path.abspath(__file__))
BUNDLE, EPOCHS = "bundle.json", "epochs.jsonl"
MORE = 75  # EX_TEMPFAIL: the same command goes on


def parse(argv: list[str], bundle: dict[str, Any]) -> argparse.Namespace:
    """The flags; what is left out comes from the bundle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [row["name"] for row in bundle["rows"]]
    parser.add_argument("--out", required=True, help="folder of all rows")
    parser.add_argument("--lines", default="", help="epochs.jsonl in another place")
    parser.add_argument("--rows", default=",".join(names), help="and their order")
    parser.add_argument("--epochs", type=int, default=bundle["epochs"])
    parser.add_argument("--steps_per_epoch", type=int, default=0, help="0 means all")
    parser.add_argument("--minutes", type=float, default=0.0, help="of this call")
    parser.add_argument("--save_seconds", type=float, default=60.0)
    parser.add_argument(
        "--precision", choices=run_step.module_lib.PRECISIONS, default="tf32"
    )
    flags = parser.parse_args(argv)
    flags.names = flags.rows.split(",")
    if unknown := sorted(set(flags.names) - set(names)):
        parser.error(f"there is no row {', '.join(unknown)}; known: {', '.join(names)}")
    flags.lines = flags.lines or os.path.join(flags.out, EPOCHS)
    return flags


def finished(state: str, epochs: int) -> bool:
    """Whether a row has all its epochs and the results of the last."""
    path = os.path.join(state, run_step.WEIGHTS)
    if not os.path.exists(path):
        return False
    with np.load(path, allow_pickle=False) as stored:
        step = int(stored["step"])
    curves = run_step.read_curves(state, step)
    return bool(curves) and curves[-1]["step"] == step and curves[-1]["epoch"] >= epochs


def collect(flags: argparse.Namespace) -> None:
    """Writes the lines of all rows, each with its row's name, to one file."""
    lines = [
        json.dumps({"row": name, **line}) + "\n"
        for name in flags.names
        for line in run_step.read_curves(os.path.join(flags.out, name), sys.maxsize)
    ]
    run_step.replace(flags.lines, lambda file: file.write("".join(lines).encode()))


def train(flags: argparse.Namespace, name: str, minutes: float) -> float:
    """One row, until it is done or the minutes are over (0: no end).

    Returns:
      Minutes until its first line: loading, compiling, an epoch; 0 if there was none.
    """
    print(f"row {name}", flush=True)
    began, lines = time.perf_counter(), []

    def tell() -> None:
        lines.append((time.perf_counter() - began) / 60)
        collect(flags)

    run_step.main(
        [
            f"--dir={os.path.join(HERE, 'rows', name)}",
            f"--state={os.path.join(flags.out, name)}",
            f"--epochs={flags.epochs}",
            f"--steps_per_epoch={flags.steps_per_epoch}",
            f"--minutes={minutes}",
            f"--save_seconds={flags.save_seconds}",
            f"--precision={flags.precision}",
        ],
        tell,
    )
    return lines[0] if lines else 0.0


def train_all(flags: argparse.Namespace) -> list[str]:
    """The rows in order while there is time; the names of those that failed."""
    began, failed, needed = time.perf_counter(), [], 0.0
    for name in flags.names:
        if finished(os.path.join(flags.out, name), flags.epochs):
            continue
        left = flags.minutes - (time.perf_counter() - began) / 60
        if flags.minutes and left <= needed:
            break
        try:
            first = train(flags, name, left if flags.minutes else 0.0)
            needed = max(needed, first)
        except Exception:  # one row that can't train must not cost the others
            traceback.print_exc()
            failed.append(name)
    return failed


def main(argv: list[str]) -> int:
    with open(os.path.join(HERE, BUNDLE), encoding="utf-8") as file:
        flags = parse(argv, json.load(file))
    for folder in (flags.out, os.path.dirname(flags.lines)):
        os.makedirs(folder or ".", exist_ok=True)
    failed = train_all(flags)
    collect(flags)
    states = {name: os.path.join(flags.out, name) for name in flags.names}
    to_go = [n for n, state in states.items() if not finished(state, flags.epochs)]
    print(f"failed: {', '.join(failed) or 'none'}; to go: {', '.join(to_go) or 'none'}")
    return 1 if failed else MORE if to_go else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

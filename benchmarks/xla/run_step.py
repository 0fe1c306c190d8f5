"""Trains what export_step.py wrote, on whatever device jax finds.

python benchmarks/xla/run_step.py --dir=EXPORT --state=DIR --epochs=60

Needs jax and NumPy alone (and Pillow for pictures exported as they are stored). The
variables stay on the device. --state gets, whole or not at all after each epoch:
  state.npz     every variable and the step: the same command goes on from it
  curves.jsonl  one line an epoch: means of training, scores on the test split,
                images/s, seconds and PFLOP of training so far
  weights.npz   the step and the networks' variables alone, at the end
  samples.npy   uint8 [rows, classes, S, S, 3] RGB drawn by the decoder, at the end
import_run.py makes state.npz a run folder of kfer's.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import jax

# The optimizers count steps in 64 bits.
jax.config.update("jax_enable_x64", True)

import initial  # noqa: E402
import module as module_lib  # noqa: E402
import numpy as np  # noqa: E402
import scoring  # noqa: E402
from batches import Batches, load  # noqa: E402

STATE, CURVES, WEIGHTS = "state.npz", "curves.jsonl", "weights.npz"


def parse(argv: list[str]) -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", required=True, help="what export_step.py wrote")
    parser.add_argument("--state", required=True, help="folder of this run")
    parser.add_argument("--epochs", type=int, default=1, help="in all")
    parser.add_argument("--steps_per_epoch", type=int, default=0, help="0 means all")
    parser.add_argument(
        "--minutes",
        type=float,
        default=0.0,
        help="stop before the epoch that ends past",
    )
    parser.add_argument(
        "--save_seconds",
        type=float,
        default=0.0,
        help="write state.npz after an epoch only where its last is so old",
    )
    parser.add_argument(
        "--precision",
        choices=module_lib.PRECISIONS,
        default="fp32",
        help="of matrix products in training; sums stay float32",
    )
    parser.add_argument(
        "--batches", default="", help=".npz of NAME [steps, ...]: run these steps alone"
    )
    return parser.parse_args(argv)


class Run:
    """The variables on the device, the modules and the step.

    Args:
      flags: of `parse`.
    """

    def __init__(self, flags: argparse.Namespace):
        self.flags = flags
        path = os.path.join(flags.dir, "map.json")
        if not os.path.exists(path):
            sys.exit(
                f"run_step: there is no {path}; --dir is what export_step.py wrote"
            )
        with open(path, encoding="utf-8") as file:
            self.map = json.load(file)
        self.config, self.rows = self.map["config"], self.map["variables"]
        self.modules: dict[str, module_lib.Module] = {}
        self.step = 0
        self.values = module_lib.to_device(self._values())

    def _values(self) -> list[np.ndarray]:
        """Where the last call stopped, or the start."""
        path = os.path.join(self.flags.state, STATE)
        if os.path.exists(path):
            with np.load(path, allow_pickle=False) as stored:
                self.step = int(stored["step"])
                return [stored[row["name"]] for row in self.rows]
        with np.load(os.path.join(self.flags.dir, "values.npz")) as stored:
            return [
                stored[row["name"]]
                if row["name"] in stored
                else initial.value(row, self.config["seed"], index)
                for index, row in enumerate(self.rows)
            ]

    def module(self, name: str) -> module_lib.Module:
        """A module, compiled when it is first asked for."""
        if name not in self.modules:
            path = os.path.join(self.flags.dir, f"{name}.hlo")
            row = self.map["modules"][name]
            # What is scored and drawn, and the start, are as kfer computes them.
            training = name in ("train", "warmup")
            precision = self.flags.precision if training else "fp32"
            self.modules[name] = module_lib.Module(path, row, self.rows, precision)
            seconds = self.modules[name].compile_seconds
            print(f"compiled {name} in {seconds:.1f} s", flush=True)
        return self.modules[name]

    def train(self, batches: Any, steps: int) -> dict[str, float]:
        """So many steps; their means."""
        for index, row in enumerate(self.rows):
            if row["role"] == "metric":
                zero = np.zeros(row["shape"], row["dtype"])
                self.values[index] = jax.device_put(zero)
        results: dict[str, Any] = {}
        for _ in range(steps):
            warm = self.step < self.map["warmup_epochs"] * batches.steps_per_epoch
            module = self.module("warmup" if warm else "train")
            results = module(batches(self.step), self.values)
            self.step += 1
        return {name: float(value) for name, value in results.items()}

    def save_curves(self, curves: list[dict[str, Any]]) -> None:
        """Writes the lines; after a kill those past the state's step come again."""
        os.makedirs(self.flags.state, exist_ok=True)
        lines = "".join(json.dumps(row) + "\n" for row in curves)
        path = os.path.join(self.flags.state, CURVES)
        replace(path, lambda file: file.write(lines.encode()))

    def save(self) -> None:
        """Writes the state."""
        folder = self.flags.state
        arrays = {r["name"]: v for r, v in zip(self.rows, self.values, strict=True)}
        arrays = {name: np.asarray(value) for name, value in arrays.items()}
        save_arrays(
            os.path.join(folder, STATE), {"step": np.int64(self.step), **arrays}
        )

    def save_results(self) -> None:
        """The networks' variables, and pictures where there is a decoder."""
        weights = {
            row["name"]: np.asarray(value)
            for row, value in zip(self.rows, self.values, strict=True)
            if row["role"] == "weight"
        }
        if "draw" in self.map["modules"]:
            pictures = scoring.draw(self.module("draw"), self.values, self.config)
            path = os.path.join(self.flags.state, "samples.npy")
            replace(path, lambda file: np.save(file, pictures))
        # Last: its step says that all results are there.
        step = {"step": np.int64(self.step)}
        save_arrays(os.path.join(self.flags.state, WEIGHTS), step | weights)


def replace(path: str, write: Any) -> None:
    """Writes a file whole or not at all."""
    partial = f"{path}.partial"
    with open(partial, "wb") as file:
        write(file)
    os.replace(partial, path)


def save_arrays(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Writes an .npz whole or not at all."""
    replace(path, lambda file: np.savez(file, **arrays))


def read_curves(folder: str, step: int) -> list[dict[str, Any]]:
    """The epochs up to a step."""
    path = os.path.join(folder, CURVES)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row for row in rows if row["step"] <= step]


class Fixed:
    """Batches that were written down."""

    def __init__(self, path: str):
        with np.load(path, allow_pickle=False) as stored:
            self.arrays = {name: stored[name] for name in stored}
        self.steps_per_epoch = len(next(iter(self.arrays.values())))

    def __call__(self, step: int) -> dict[str, np.ndarray]:
        return {name: array[step] for name, array in self.arrays.items()}


def replay(run: Run, batches: Fixed) -> None:
    """Runs the given steps, one line of curves each."""
    curves = []
    for _ in range(run.step, batches.steps_per_epoch):
        means = run.train(batches, 1)
        curves.append({"step": run.step, "train": means})
    run.save_curves(curves)
    run.save()


def train(run: Run, flags: argparse.Namespace, tell: Callable[[], None]) -> None:
    """Epoch by epoch, each with its evaluation."""
    began = saved = time.perf_counter()
    data = load(flags.dir, run.map.get("pictures", ""))
    batches = Batches(data, run.config, run.map["modules"]["train"]["batch"])
    test = scoring.Test(data, run.config)
    per_epoch = flags.steps_per_epoch or batches.steps_per_epoch
    curves = read_curves(flags.state, run.step)
    fit_start(run, batches)
    total, longest, kept = flags.epochs * per_epoch, 0.0, run.step
    while run.step < total:
        started = time.perf_counter()
        if flags.minutes and started - began + longest > 60 * flags.minutes:
            break
        row = one_epoch(run, batches, per_epoch, curves[-1] if curves else {})
        row["test"] = test.scores(run.module("answers"), run.values)
        curves.append(row)
        run.save_curves(curves)
        if run.step >= total or time.perf_counter() - saved >= flags.save_seconds:
            run.save()
            saved, kept = time.perf_counter(), run.step
        print(json.dumps(row), flush=True)
        tell()
        longest = max(longest, time.perf_counter() - started)
    if kept != run.step:
        run.save()
    run.save_results()


def fit_start(run: Run, batches: Batches) -> None:
    """Lets the first pictures set the encoder's start, where the recipe says so."""
    if run.step or "start" not in run.map["modules"]:
        return
    module = run.module("start")
    (part,) = module.row["batch"]
    count = part["shape"][0] // batches.size
    images = [batches(step)["image"] for step in range(count)]
    module({part["name"]: jax.numpy.concatenate(images)}, run.values)


def one_epoch(
    run: Run, batches: Batches, steps: int, before: dict[str, Any]
) -> dict[str, Any]:
    """A row of curves, after the row `before`; the time of compiling is apart."""
    warm = run.step < run.map["warmup_epochs"] * batches.steps_per_epoch
    module = run.module("warmup" if warm else "train")
    started = time.perf_counter()
    means = run.train(batches, steps)
    jax.block_until_ready(run.values)
    seconds = time.perf_counter() - started
    return {
        "step": run.step,
        "epoch": run.step / steps,
        "seconds": seconds,
        "total_seconds": before.get("total_seconds", 0.0) + seconds,
        "pflop": before.get("pflop", 0.0) + steps * module.row["pflop"],
        "images_per_second": steps * batches.size / seconds,
        "train": means,
    }


def main(argv: list[str], tell: Callable[[], None] = lambda: None) -> int:
    """Trains; `tell` is called after each epoch's line is written."""
    flags = parse(argv)
    run = Run(flags)
    print(f"{jax.devices()[0].device_kind}, jax {jax.__version__}, step {run.step}")
    if flags.batches:
        replay(run, Fixed(flags.batches))
    else:
        train(run, flags, tell)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

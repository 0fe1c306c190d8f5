"""Runs cells: each once, resumable, several side by side, none stops the others."""

import concurrent.futures
import dataclasses
import fcntl
import os
import platform
import queue
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import tqdm
from absl import logging

from kfer.errors import UserError
from kfer.experiments import cells as cells_lib
from kfer.experiments import data as data_lib
from kfer.experiments.cells import SETTINGS, Cell, Scale
from kfer.storage import whole
from kfer.training import run_folder

NOTE = "cell.json"
DONE, FAILED, SKIPPED, MISSING = "done", "failed", "skipped", "not run"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to run and where.

    Attributes:
      scale: see cells.Scale.
      out_dir: of all scales; a scale has a folder in it.
      data_root: see data.prepare.
      recipe: a key of kfer.settings.config.RECIPES.
      jobs: cells side by side; the cores are dealt out to them.
      flags: more flags for every kfer-train, such as --strategy=default.
      data_seed: of simulated labels and drawn pictures; see data.prepare.
    """

    scale: Scale
    out_dir: str
    data_root: str = ""
    recipe: str = "kfer"
    jobs: int = 1
    flags: tuple[str, ...] = ()
    data_seed: int = 0

    @property
    def root(self) -> str:
        """The folder of the scale; recipes and data of other seeds have their own."""
        name = self.scale.name
        name += "" if self.recipe == "kfer" else f"-{self.recipe}"
        name += f"-data{self.data_seed}" if self.data_seed else ""
        return os.path.join(self.out_dir, name)

    def folder(self, cell: Cell) -> str:
        """The run folder of a cell."""
        return os.path.join(self.root, "cells", cell.key)

    def note(self, cell: Cell) -> str:
        """Path of what the runner noted about a cell."""
        return os.path.join(self.root, "notes", f"{cell.key}.json")

    def log(self, name: str) -> str:
        """Path of the output of a cell's or a data set's command."""
        return os.path.join(self.root, "logs", f"{name}.log")


def state(plan: Plan, cell: Cell) -> dict[str, Any]:
    """{'status', 'reason'} of a cell, and 'command' and 'machine' once it has begun."""
    path = plan.note(cell)
    noted = run_folder.read_json(path) if os.path.isfile(path) else {}
    if is_done(plan.folder(cell)):
        return {**noted, "status": DONE, "reason": ""}
    return {"status": MISSING, "reason": "", **noted}


def is_done(run_dir: str) -> bool:
    """Whether a run has ended by itself and was scored."""
    path = os.path.join(run_dir, run_folder.METRICS)
    if not os.path.isfile(path):
        return False
    metrics = run_folder.read_json(path)
    return "last" in metrics and not metrics["interrupted"]


def run(plan: Plan, cells: Sequence[Cell]) -> dict[str, int]:
    """Runs the cells that are not done.

    Args:
      plan: see Plan.
      cells: in the order in which they start.

    Returns:
      status -> how many cells have it in the end. A cell that fails, or whose data are
      missing, is noted with its reason and tried again by the next call.
    """
    # Here and not beside the training: only a process's main thread may train itself.
    data = prepare(plan, [cell for cell in cells if not is_done(plan.folder(cell))])
    cores: queue.Queue[set[int]] = queue.Queue()
    for share in deal_cores(plan.jobs):
        cores.put(share)
    counts: dict[str, int] = {}
    with (
        concurrent.futures.ThreadPoolExecutor(plan.jobs) as pool,
        tqdm.tqdm(total=len(cells), desc="cells", unit=" cells", disable=None) as bar,
    ):
        for status in pool.map(lambda cell: _run_cell(plan, cell, data, cores), cells):
            counts[status] = counts.get(status, 0) + 1
            bar.update()
    return counts


def prepare(plan: Plan, cells: Sequence[Cell]) -> dict[str, str | UserError]:
    """Data set -> its prepared folder, or why there is none; of all that cells need."""
    found: dict[str, str | UserError] = {}
    for name in dict.fromkeys(SETTINGS[cell.setting].data for cell in cells):
        out_dir = os.path.join(plan.root, "data")
        with whole.appending(os.path.join(plan.root, "notes", f"{name}.lock")) as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # another runner may be making it
            try:
                found[name] = data_lib.prepare(
                    name,
                    plan.data_root,
                    out_dir,
                    plan.scale,
                    plan.log(name),
                    plan.data_seed,
                    plan.recipe,
                )
            except UserError as error:
                found[name] = error
    return found


def deal_cores(jobs: int) -> list[set[int]]:
    """This process's cores in `jobs` shares; jobs that have none of their own share."""
    cores = sorted(os.sched_getaffinity(0))
    return [set(cores[i::jobs]) or set(cores) for i in range(jobs)]


def _run_cell(
    plan: Plan,
    cell: Cell,
    data: Mapping[str, str | UserError],
    cores: "queue.Queue[set[int]]",
) -> str:
    if is_done(plan.folder(cell)):
        return DONE
    with _claimed(plan, cell) as claim:
        if claim is None:
            logging.info("%s is being run by another process", cell.key)
            return MISSING
        share = cores.get()
        try:
            note = _try(plan, cell, data[SETTINGS[cell.setting].data], share, claim)
        finally:
            cores.put(share)
        whole.write_json(plan.note(cell), note)
    reason = f": {note['reason']}" if note["reason"] else ""
    logging.info("%s %s%s", cell.key, note["status"], reason)
    return note["status"]


@contextmanager
def _claimed(plan: Plan, cell: Cell) -> Iterator[int | None]:
    """A descriptor that holds the cell, or None if another runner has it."""
    with whole.appending(f"{plan.note(cell)}.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield file.fileno()


def _try(
    plan: Plan, cell: Cell, data: str | UserError, share: set[int], claim: int
) -> dict[str, Any]:
    """Trains, if there are data; what is noted about the cell."""
    note = {"status": SKIPPED, "reason": "", "command": "", "machine": machine(share)}
    if isinstance(data, UserError):
        return note | {"reason": str(data)}
    words = [
        "kfer-train",
        *cells_lib.train_flags(cell, plan.scale, plan.recipe),
        f"--data_dir={data}",
        f"--out_dir={plan.folder(cell)}",
        *plan.flags,
    ]
    note["command"] = shlex.join(words)
    # Should the runner be killed, the training may yet end well.
    begun = {"status": MISSING, "reason": "begun, not ended"}
    whole.write_json(plan.note(cell), note | begun)
    code = _train(words[1:], plan.log(cell.key), share, claim)
    if code == 0 and is_done(plan.folder(cell)):
        return note | {"status": DONE}
    reason = data_lib.last_line(plan.log(cell.key))
    return note | {"status": FAILED, "reason": f"status {code}: {reason}"}


def _train(flags: Sequence[str], log: str, share: set[int], claim: int) -> int:
    """kfer-train in a process of its own on these cores; its exit status."""
    words = [sys.executable, "-m", "kfer.bin.train_main", *flags]
    with whole.appending(log) as file:
        # It holds the claim too, should it outlive a killed runner.
        process = subprocess.Popen(
            words, stdout=file, stderr=subprocess.STDOUT, pass_fds=[claim]
        )
        # Before TensorFlow is loaded and counts its cores.
        os.sched_setaffinity(process.pid, share)
        return process.wait()


def machine(share: set[int]) -> str:
    """In words, what a cell ran on."""
    return f"{len(share)} of {os.cpu_count()} cores, {platform.machine()}"

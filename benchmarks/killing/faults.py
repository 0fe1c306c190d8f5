"""Kills, full disks and read-only places, and whether the same command goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.killing.commands import Command

# Of what the command makes, that fits on the full disk.
_SHARE = 0.4


Run = Callable[..., tuple[int, str, float]]


def run(words: list[str], seconds: float = 0.0) -> tuple[int, str, float]:
    """Status, stderr and seconds of a command; killed after `seconds`, if not 0."""
    began = time.monotonic()
    process = subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, errors = process.communicate(timeout=seconds or None)
    except subprocess.TimeoutExpired:
        # Its workers too, as when a machine loses its power.
        os.killpg(process.pid, signal.SIGKILL)
        _, errors = process.communicate()
    return process.returncode, errors, time.monotonic() - began


def kill(
    command: Command,
    folder: str,
    moments: int,
    seed: int,
    end: float,
    run: Run = run,
    chain: int = 1,
) -> dict[str, Any]:
    """Kills a command at random moments; each time the same command goes on.

    Args:
      command: see commands.known.
      folder: for what is made; the whole run in it is taken from an earlier call.
      moments: how many, uniform over the time that the command takes.
      seed: of the moments.
      end: time.monotonic() at which no further moment is begun.
      run: how a command is run, see `run`.
      chain: how often what goes on is killed again, before it may come to its end.

    Returns:
      seconds of the whole command, moments that were tried, killed (the others came
      after the end), same (equal bits after it went on), wrong: what was not.
    """
    reference = os.path.join(folder, "whole")
    seconds = _whole(command, reference, run)
    expected = command.content(reference)
    found = {"seconds": round(seconds, 1), "moments": 0, "killed": 0, "same": 0}
    wrong: list[Any] = []
    drawn = list(np.random.default_rng(seed).uniform(0.0, seconds, moments))
    while drawn and time.monotonic() < end:
        out = _made(os.path.join(folder, f"moment-{found['moments']}"))
        struck, killed = _strike(command, out, drawn, chain, run)
        drawn = drawn[len(struck) :]
        # Made whole before the kill: a command may refuse to make it again.
        whole = command.content(out) == expected
        status, errors, _ = run(command.words(out))
        same = (status == 0 or whole) and command.content(out) == expected
        found["moments"] += len(struck)
        found["killed"] += killed
        found["same"] += len(struck) * same
        if not same:
            wrong.append([[round(m, 2) for m in struck], status, errors[-300:]])
        shutil.rmtree(out)
        print(json.dumps(found), file=sys.stderr, flush=True)  # if it is broken off
    return found | {"wrong": wrong}


def _whole(command: Command, reference: str, run: Run) -> float:
    """Runs the command to its end, if that wasn't done before; its seconds."""
    noted = f"{reference}-seconds"
    if not os.path.isfile(noted):
        shutil.rmtree(reference, ignore_errors=True)
        status, errors, seconds = run(command.words(_made(reference)))
        if status:
            raise RuntimeError(f"the whole ended with {status}: {errors[-2000:]}")
        with open(noted, "w", encoding="ascii") as file:
            file.write(str(seconds))
    with open(noted, encoding="ascii") as file:
        return float(file.read())


def _strike(
    command: Command, out: str, moments: list[float], chain: int, run: Run
) -> tuple[list[float], int]:
    """Runs and kills up to `chain` times, or until it ends; the moments, the kills."""
    killed = 0
    for tried, moment in enumerate(moments[:chain], 1):
        status, _, _ = run(command.words(out), max(moment, 0.01))
        if status != -signal.SIGKILL:
            return moments[:tried], killed
        killed += 1
    return moments[:chain], killed


def refuse(command: Command, folder: str, read_only: bool) -> dict[str, Any]:
    """A disk that is full or read-only, then mended: one line, then the same bits.

    Returns:
      status and lines of the refusal (its last line stands in `said`), whether nothing
      was made then, and whether the same command made all once the disk was mended.
    """
    whole, disk = _made(os.path.join(folder, "whole")), _made(os.path.join(folder, "d"))
    if not os.listdir(whole):
        run(command.words(whole))
    expected = command.content(whole)
    size = max(16, int(_SHARE * _kib(whole)))
    full = "ro,size=1g" if read_only else f"size={size}k"
    subprocess.run(["mount", "-t", "tmpfs", "-o", full, "tmpfs", disk], check=True)
    try:
        status, errors, _ = run(command.words(disk))
        made = command.content(disk)
        subprocess.run(["mount", "-o", "remount,rw,size=1g", disk], check=True)
        again, later, _ = run(command.words(disk))
        same = again == 0 and command.content(disk) == expected
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    lines = errors.strip().splitlines() or [""]
    traces = [number for number, line in enumerate(lines) if "Traceback" in line]
    return {
        "status": status,
        "one_line": not traces and ": error: " in lines[-1],
        "said": lines[-1][-200:],
        **({"trace": lines[traces[0] :][:40]} if traces else {}),
        "nothing_made": not made or made == expected,
        "same_after": same,
        **({} if same else {"later": later[-300:]}),
    }


def _made(folder: str) -> str:
    os.makedirs(folder, exist_ok=True)
    return folder


def _kib(folder: str) -> int:
    said = subprocess.run(["du", "-sk", folder], capture_output=True, check=True)
    return int(said.stdout.split()[0])

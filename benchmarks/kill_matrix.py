"""Kills every command at random moments and fills its disk; one JSON line each.

python -m benchmarks.kill_matrix --seed=0 --moments=20 [--commands=train,preprocess]

After each fault the same command is run again and must leave the same bits as a run
without one. Full and read-only disks are small tmpfs, which need root. Ends with status
1 if anything was not as it should be. --minutes bounds the kills of each command;
the line says how many moments there were. --warm runs what is killed in forks of a
process that has imported already, so that more moments fall into the work. --chain=5
kills what goes on again, so that a command comes to its end once in five kills.
--folder keeps inputs and the runs without a fault for the next call.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time

from benchmarks.killing import commands, faults, warm


def main() -> int:
    """Runs the matrix; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--commands", default="")
    parser.add_argument("--disks", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--chain", type=int, default=1)
    parser.add_argument("--folder", default="")
    chosen = parser.parse_args()
    folder = chosen.folder or tempfile.mkdtemp(prefix="kfer-kills-")
    try:
        return _all(folder, chosen)
    finally:
        if not chosen.folder:
            shutil.rmtree(folder, ignore_errors=True)


def _all(folder: str, chosen: argparse.Namespace) -> int:
    known = commands.known(folder)
    names = chosen.commands.split(",") if chosen.commands else list(known)
    if not os.path.isdir(f"{folder}/cifar"):
        commands.make_inputs(folder)
    if "publish" in names and not os.path.isfile(f"{folder}/run/metrics.json"):
        made = commands.train_for_publishing(known, folder)
        status, errors, _ = faults.run(made)
        if status:
            raise RuntimeError(errors[-2000:])
    run = warm.Warm(folder, "pipeline" in names) if chosen.warm else faults.run
    return int(any([_one(known[n], n, folder, chosen, run) for n in names]))


def _one(
    command: commands.Command, name: str, folder: str, chosen, run: faults.Run
) -> bool:
    """Whether a command did anything wrong."""
    place = os.path.join(folder, f"made-{name}")
    os.makedirs(place, exist_ok=True)
    end = time.monotonic() + 60 * chosen.minutes
    found = faults.kill(
        command, place, chosen.moments, chosen.seed, end, run, chosen.chain
    )
    line = {"command": name, "fault": "kill", "seed": chosen.seed, **found}
    print(json.dumps(line), flush=True)
    bad = bool(found["wrong"])
    for read_only in (False, True) if chosen.disks else ():
        found = faults.refuse(command, place, read_only)
        fault = "read-only disk" if read_only else "full disk"
        print(json.dumps({"command": name, "fault": fault, **found}), flush=True)
        kept = ("one_line", "nothing_made", "same_after")
        bad |= (
            not all(found[key] for key in kept)
            or found["status"] not in command.refused
        )
    return bad


if __name__ == "__main__":
    sys.exit(main())

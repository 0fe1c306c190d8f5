"""Killed commands go on to the same bits; refusing disks are one line."""

import os
import sys
import time

import pytest

from benchmarks import kill_matrix
from benchmarks.killing import commands, faults

# Writes a file in two halves; `careless` leaves the first half as if it were whole.
PROGRAM = """
import os, sys, time
out, careless = sys.argv[1], sys.argv[2] == "careless"
path = os.path.join(out, "made")
if not os.path.exists(path):
    with open(path if careless else path + ".part", "w") as file:
        for _ in range(10):
            file.write("a" * 8192)
            file.flush()
            time.sleep(0.05)
    if not careless:
        os.rename(path + ".part", path)
"""


def toy(how):
    def words(out):
        return [sys.executable, "-c", PROGRAM, out, how]

    return commands.Command(words, lambda out: commands.files_of(out, ("made.part",)))


@pytest.mark.parametrize("chain", [1, 3])
@pytest.mark.parametrize("how, same", [("careful", True), ("careless", False)])
def test_what_goes_on_to_other_bits_is_seen(tmp_path, how, same, chain):
    end = time.monotonic() + 600
    found = faults.kill(toy(how), str(tmp_path), 6, 0, end, chain=chain)
    assert found["moments"] == 6 and found["killed"] > 0
    assert (found["same"] == 6) is same and bool(found["wrong"]) is not same
    assert sorted(os.listdir(tmp_path)) == ["whole", "whole-seconds"]


def test_what_goes_on_is_killed_again_until_it_ends(tmp_path):
    statuses = iter([0, -9, -9, -9, 0, -9, 0, 0, -9, 0])
    asked = []

    def run(words, seconds=0.0):
        asked.append(seconds > 0)
        return next(statuses), "", 5.0

    end = time.monotonic() + 600
    found = faults.kill(toy("careful"), str(tmp_path), 5, 0, end, run, 3)
    # The whole one; three kills and its end; one kill, one after the end, its check.
    assert asked == [False, True, True, True, False, True, True, False]
    assert (found["moments"], found["killed"], found["same"]) == (5, 4, 5)
    # Another call takes the whole one as it is.
    again = faults.kill(toy("careful"), str(tmp_path), 1, 1, end, run)
    assert asked[8:] == [True, False] and again["seconds"] == 5.0


def test_the_time_bounds_the_moments(tmp_path):
    found = faults.kill(toy("careful"), str(tmp_path), 6, 0, time.monotonic())
    assert found["moments"] == 0 and found["wrong"] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["preprocess", "train"])
def test_kills_and_disks(tmp_path, name, monkeypatch, capsys):
    disks = "--disks" if os.geteuid() == 0 else "--no-disks"
    words = ["kill_matrix", "--moments=2", f"--commands={name}", disks, "--warm"]
    monkeypatch.setattr(sys, "argv", words)
    assert kill_matrix.main() == 0, capsys.readouterr().out

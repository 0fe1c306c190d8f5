"""Every reader is given broken bytes; what a fuzz must notice is noticed."""

import os
import signal
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks.fuzzing import child, mutations, parent, stored, tables
from kfer.data import record, safe_pickle
from kfer.data import tables as table_files
from kfer.errors import UserError
from kfer.images import decode

INPUTS = 40


def test_a_seed_rules_the_inputs():
    good = bytes(range(200))
    first, second = (
        [mutations.mutated(good, np.random.default_rng([3, i])) for i in range(50)]
        for _ in range(2)
    )
    assert first == second and len(set(first)) > 45 and good not in first[:5]


def test_lines_are_mutated_one_by_one():
    text = b"\n".join(b"line %d" % i for i in range(100))
    found, count = mutations.mutated_lines(text, np.random.default_rng(0), 0.1)
    kept = set(found.split(b"\n")) & set(text.split(b"\n"))
    # A fault may put a line's words into another line, so a few may come back.
    assert 3 < count < 20 and 100 - count <= len(kept) <= 100 - count + 3
    assert mutations.mutated_lines(text, np.random.default_rng(0), 0.0) == (text, 0)


class Sick:
    """A reader of every fault: by the number of the input."""

    def __init__(self, folder):
        os.makedirs(folder)

    def mutated(self, rng):
        return bytes([rng.integers(4)]), 1

    def run(self, data):
        if data == b"\0":
            raise KeyError("not what a reader may raise")
        return Counter(read=1)


def test_what_a_reader_may_not_raise_is_counted_and_named(tmp_path):
    with open(tmp_path / "at", "wb", buffering=0) as at:
        found = child.loop(Sick(str(tmp_path / "s")), at, (0, 0, 40), 60.0)
    wanted = [np.random.default_rng([0, i]).integers(4) == 0 for i in range(40)]
    assert found["outcomes"]["faults"] == sum(wanted) > 3
    assert found["outcomes"]["read"] == 40 - sum(wanted) and found["inputs"] == 40
    ((text, first),) = found["faults"].items()
    assert text.startswith("KeyError at fuzz_test.py") and first == wanted.index(True)
    assert fuzz.is_bad(found | {"crashes": [], "hangs": []})


def test_a_dead_process_is_a_crash_and_the_next_goes_on(monkeypatch):
    monkeypatch.setattr(parent.subprocess, "Popen", _with_sick_reader)
    found = parent.fuzz("crash", 0, 12, 600.0)
    assert found["crashes"] == [[5, f"signal {signal.SIGSEGV.value}"]]
    assert found["inputs"] == 12 and found["hangs"] == []


def test_a_process_that_stays_at_an_input_is_a_hang(monkeypatch):
    monkeypatch.setattr(parent.subprocess, "Popen", _with_sick_reader)
    monkeypatch.setattr(parent, "HANG_SECONDS", 0.5)
    found = parent.fuzz("hang", 0, 8, 600.0)
    assert found["hangs"] == [[3, "hang"]] and found["inputs"] == 8


@pytest.mark.parametrize("cost", ["slow", "first"])
def test_a_costly_start_or_first_use_is_no_hang(monkeypatch, cost):
    monkeypatch.setattr(parent.subprocess, "Popen", _with_sick_reader)
    monkeypatch.setattr(parent, "STUCK_SECONDS", 1.0)
    monkeypatch.setattr(parent, "HANG_SECONDS", 0.5)
    found = parent.fuzz(cost, 0, 8, 600.0)
    assert found["hangs"] == [] and found["inputs"] == 8


def test_a_start_without_end_is_told(monkeypatch):
    monkeypatch.setattr(parent.subprocess, "Popen", _with_sick_reader)
    monkeypatch.setattr(parent, "START_SECONDS", 0.2)
    with pytest.raises(RuntimeError, match="neither an input nor the end"):
        parent.fuzz("slow", 0, 8, 600.0)


_POPEN = parent.subprocess.Popen
_PROGRAM = """
import ctypes, os, sys, time
from collections import Counter
from benchmarks.fuzzing import child, tables
class Reader:
    count, good, warm = int(sys.argv[3]) - 1, b"good", False
    def __init__(self, folder):
        if sys.argv[1] == "slow": time.sleep(1.5)
    def mutated(self, rng):
        self.count += 1
        return bytes([self.count]), 1
    def run(self, data):
        if sys.argv[1] == "first" and not Reader.warm:
            Reader.warm = True
            end = time.process_time() + 1.0
            while time.process_time() < end: pass
        if sys.argv[1] == "crash" and data == b"\\5": ctypes.string_at(0)
        while sys.argv[1] == "hang" and data == b"\\3": pass
        return Counter(read=1)
tables.TARGETS |= dict.fromkeys(("crash", "hang", "slow", "first"), Reader)
child.main(sys.argv[1], *map(int, sys.argv[2:5]), float(sys.argv[5]), sys.argv[6])
"""


def _with_sick_reader(command, **options):
    words = [command[0], "-c", _PROGRAM, *command[3:]]
    return _POPEN(words, **options)


def test_rows_are_counted_without_the_readers_help():
    data = b"\xef\xbb\xbfa,b\r\n1,2\r\r\n \n3,4\xff"
    # Rows "1,2" and "3,4"; the header, an empty line and a blank one are none.
    assert tables.lines_of(data, 1) == 2 and tables.lines_of(b"", 1) == 0


SLOW = ("training_input", "requests", "shard_records", "shard_bytes", "ratings_parquet")
READERS = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
    for name in (*tables.TARGETS, *stored.TARGETS)
]


@pytest.mark.parametrize("name", READERS)
def test_every_reader_reads_or_refuses(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    count = INPUTS // 4 if name in SLOW else INPUTS
    made = child.target(name, str(tmp_path))
    # The good bytes are read, or the faults below would tell nothing.
    good = made.good if isinstance(made.good, bytes) else made.good[0]
    assert made.run(good)["read"] > 0
    with open(tmp_path / "at", "wb", buffering=0) as at:
        found = child.loop(made, at, (1, 0, count), 300.0)
    assert found["faults"] == {} and found["inputs"] == count
    assert found["outcomes"]["records"] > 0


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_picture_a_record_and_a_pickle_or_none(data):
    for read, refusal in (
        (decode.decode_scaled, decode.BadImage),
        (record.decode, UserError),
        (lambda one: safe_pickle.load_stream(stored.io.BytesIO(one), "it"), UserError),
    ):
        try:
            read(data)
        except refusal as error:
            assert "\n" not in str(error) and len(str(error)) < 1000


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_number_or_none(text):
    whole = table_files.whole_number(text)
    assert whole is None or float(whole) == table_files.number(text.strip())
    assert isinstance(table_files.fields(text), list)

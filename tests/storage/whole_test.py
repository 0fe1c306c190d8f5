import errno
import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from kfer.errors import UserError
from kfer.storage import whole

FULL = OSError(errno.ENOSPC, "No space left on device")
AS_IT_WAS = "what was there is as it was. Free space or choose another place"


def fill(folder, text="new"):
    with open(os.path.join(folder, "data.txt"), "w") as file:
        file.write(text)


def test_a_file_takes_its_place_with_all_its_bytes(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    whole.write_text(str(path), "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    whole.write_bytes(str(path), b"\r\n\0")
    assert path.read_bytes() == b"\r\n\0"
    assert os.listdir(path.parent) == ["a.txt"]


def test_nobody_sees_half_a_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with whole.writing(str(path)) as file:
        file.write(b"ne")
        file.flush()
        assert path.read_text() == "old"
        left = [name for name in os.listdir(tmp_path) if whole.is_leftover(name)]
        assert len(left) == 1
        file.write(b"w")
    assert path.read_text() == "new"


def test_two_writers_do_not_mix(tmp_path):
    path = tmp_path / "a.txt"
    with whole.writing(str(path)) as one:
        one.write(b"111")
        with whole.writing(str(path)) as two:
            two.write(b"2")
        assert path.read_text() == "2"
    assert path.read_text() == "111"


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError(errno.EROFS, "Read-only file system"),
        tf.errors.ResourceExhaustedError(None, None, "shard; No space left on device"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_the_disk_refuses_is_one_line_and_leaves_nothing(tmp_path, error, kind):
    place = str(tmp_path / "set")
    block = whole.writing(place) if kind == "file" else whole.new_folder(place, list)
    with pytest.raises(UserError) as caught:
        with block:
            raise error
    message = getattr(error, "strerror", None) or error.message
    assert f"Can't write to {place}: {message}; {AS_IT_WAS}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["replace", "fsync"])
def test_a_disk_that_fills_at_the_end_keeps_the_old_file(tmp_path, monkeypatch, name):
    path = tmp_path / "a.json"
    whole.write_json(str(path), {"step": 1})

    def full(*words):
        raise FULL

    monkeypatch.setattr(os, name, full)
    with pytest.raises(UserError, match=r"a\.json: No space left on device; what"):
        whole.write_json(str(path), {"step": 2})
    assert json.loads(path.read_text()) == {"step": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_what_is_no_json_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    whole.write_json(str(path), {"step": 1})
    assert path.read_text() == '{\n "step": 1\n}\n'
    with pytest.raises(TypeError):
        whole.write_json(str(path), {"step": object()})
    assert json.loads(path.read_text()) == {"step": 1}


def test_the_file_that_the_disk_refused_is_named_if_it_is_another(tmp_path):
    with pytest.raises(UserError, match=r"out: No such file .* \(/no/such\); what"):
        with whole.disk(str(tmp_path / "out")):
            os.stat("/no/such")
    with pytest.raises(UserError, match=r"out: No such file or directory; what"):
        with whole.disk(str(tmp_path / "out")):
            os.stat(tmp_path / ".out.partial-1" / "a")


def test_other_errors_stay_what_they_are(tmp_path):
    for block in (
        whole.writing(str(tmp_path / "a")),
        whole.beside(str(tmp_path / "a")),
        whole.new_folder(str(tmp_path / "a"), list),
    ):
        with pytest.raises(KeyError):
            with block:
                raise KeyError
    with pytest.raises(UserError, match="mine"):
        with whole.disk("a"):
            raise UserError("mine")
    assert os.listdir(tmp_path) == []


def test_a_full_file_system(tmp_path):
    """A real one of 64 kB, where this user may mount it."""
    script = f"""
import os, subprocess, sys
if subprocess.call(["mount", "-t", "tmpfs", "-o", "size=64k", "small", {str(tmp_path)!r}]):
    sys.exit(77)
from kfer.errors import UserError
from kfer.storage import whole
path = {str(tmp_path / "a.txt")!r}
whole.write_bytes(path, b"old")
for write in (lambda: whole.write_bytes(path, bytes(200_000)),):
    try:
        write()
    except UserError as error:
        print(error)
print(os.listdir({str(tmp_path)!r}), open(path).read())
"""
    command = ["unshare", "--mount", sys.executable, "-c", script]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except FileNotFoundError:
        pytest.skip("there is no unshare(1)")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()[:200]}")
    line, kept = done.stdout.splitlines()
    assert line == (
        f"Can't write to {tmp_path}/a.txt: No space left on device; {AS_IT_WAS}, then "
        "run the same command again"
    )
    assert kept == "['a.txt'] old"


def test_a_log_is_added_to(tmp_path):
    for text in (b"1", b"2"):
        with whole.appending(str(tmp_path / "logs" / "a.log")) as file:
            file.write(text)
    assert (tmp_path / "logs" / "a.log").read_bytes() == b"12"
    with pytest.raises(UserError, match="File exists"):
        whole.appending(str(tmp_path / "logs" / "a.log" / "b.log"))


def test_a_folder_takes_its_place_when_done(tmp_path):
    target = tmp_path / "deep" / "set"
    with whole.new_folder(str(target), list) as folder:
        assert os.path.dirname(folder) == str(target.parent)
        assert not target.exists() and whole.is_leftover(os.path.basename(folder))
        fill(folder)
    assert (target / "data.txt").read_text() == "new"
    assert os.listdir(target.parent) == ["set"]
    assert os.stat(target).st_mode & 0o777 == 0o755


def test_the_check_is_asked_before_and_after(tmp_path):
    (tmp_path / "set").mkdir()
    fill(tmp_path / "set", "old")
    answers = [None, UserError("taken meanwhile")]

    def check():
        if answer := answers.pop(0):
            raise answer

    with pytest.raises(UserError, match="taken meanwhile"):
        with whole.new_folder(str(tmp_path / "set"), check) as folder:
            fill(folder)
    assert (tmp_path / "set" / "data.txt").read_text() == "old" and not answers
    assert os.listdir(tmp_path) == ["set"]


def test_a_folder_that_cannot_move_leaves_the_old_one(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    fill(tmp_path / "set", "old")
    rename, calls = os.rename, []

    def second_fails(source, target):
        calls.append(target)
        if len(calls) == 2:
            raise FULL
        rename(source, target)

    monkeypatch.setattr(os, "rename", second_fails)
    with pytest.raises(UserError, match="No space left"):
        with whole.new_folder(str(tmp_path / "set"), list) as folder:
            fill(folder)
    assert (tmp_path / "set" / "data.txt").read_text() == "old"
    assert os.listdir(tmp_path) == ["set"]


def test_leftovers_of_a_killed_run_are_named(tmp_path, caplog):
    (tmp_path / ".set.partial-x").mkdir()
    with caplog.at_level("WARNING", "absl"):
        with whole.new_folder(str(tmp_path / "set"), list):
            pass
    assert ".set.partial-x of a run that was killed" in caplog.text


def test_lines_are_ended(tmp_path):
    whole.write_lines(str(tmp_path / "a"), ["1", "2"])
    assert (tmp_path / "a").read_text() == "1\n2\n"


def test_sync_all_counts_bytes(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"12345")
    (tmp_path / "b").write_bytes(b"678")
    assert whole.sync_all(str(tmp_path)) == 8

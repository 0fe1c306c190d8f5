import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from kfer.errors import UserError
from kfer.serving import publish
from kfer.storage import whole


@pytest.fixture
def model(tmp_path):
    """What passes for a model's folder: 4 files in two levels."""
    path = tmp_path / "model"
    (path / "assets").mkdir(parents=True)
    (path / "variables").mkdir()
    (path / "saved_model.pb").write_bytes(b"graph")
    (path / "assets" / "labels.json").write_text('{"format_version": 1}')
    (path / "assets" / "model_card.md").write_text("card")
    (path / "variables" / "variables.data").write_bytes(b"weights" * 1000)
    return path


def content(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_versions_grow_by_one_and_hold_the_model(model, tmp_path):
    base = tmp_path / "served" / "faces"
    assert publish.versions(str(base)) == []
    for number in ("1", "2"):
        path = publish.publish(str(model), str(base))
        assert path == str(base / number)
        assert content(base / number) == content(model)
    assert publish.versions(str(base)) == [1, 2]
    assert sorted(os.listdir(base)) == ["1", "2"]


def test_the_next_version_is_above_every_number_there(model, tmp_path):
    base = tmp_path / "served"
    for name in ("7", "1764058636", "latest", "9.old", "٣"):
        (base / name).mkdir(parents=True)
    (base / "3").write_text("even a file keeps its number")
    assert publish.versions(str(base)) == [3, 7, 1764058636]
    assert publish.publish(str(model), str(base)) == str(base / "1764058637")
    assert os.listdir(base / "7") == []


def publish_some(model, base, count, done):
    for _ in range(count):
        done.put(publish.publish(model, base))


def test_publishers_at_once_get_versions_of_their_own(model, tmp_path):
    base = tmp_path / "served"
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    workers = [
        context.Process(target=publish_some, args=(str(model), str(base), 5, done))
        for _ in range(3)
    ]
    for worker in workers:
        worker.start()
    paths = [done.get(timeout=120) for _ in range(15)]
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    assert sorted(int(os.path.basename(path)) for path in paths) == list(range(1, 16))
    assert publish.versions(str(base)) == list(range(1, 16))
    assert all(content(base / str(n)) == content(model) for n in range(1, 16))


SLOW = """
import sys, time
from kfer.serving import publish
from kfer.storage import whole
def wait(folder):
    print("copied", flush=True)
    time.sleep(60)
whole.sync_all = wait
publish.publish(*sys.argv[1:])
"""


def test_a_kill_in_the_middle_leaves_no_version(model, tmp_path):
    base = tmp_path / "served"
    publish.publish(str(model), str(base))
    command = [sys.executable, "-c", SLOW, str(model), str(base)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "copied\n"
        process.send_signal(signal.SIGKILL)
    left = [name for name in os.listdir(base) if name.startswith(publish.PARTIAL)]
    assert len(left) == 1 and publish.versions(str(base)) == [1]
    # The lock died with its holder, and the next publisher clears up.
    assert publish.publish(str(model), str(base)) == str(base / "2")
    assert sorted(os.listdir(base)) == ["1", "2"]


def test_a_full_disk_adds_nothing(model, tmp_path, monkeypatch):
    base = tmp_path / "served"
    publish.publish(str(model), str(base))

    def full(folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole, "sync_all", full)
    with pytest.raises(UserError, match=r"failed: No space left on device; no version"):
        publish.publish(str(model), str(base))
    assert sorted(os.listdir(base)) == ["1"]


def test_a_copy_that_the_disk_refuses_says_why(model, tmp_path, monkeypatch):
    base = tmp_path / "served"
    publish.publish(str(model), str(base))
    said = "[Errno 28] No space left on device: '/served/x'"

    def full(source, target, **_):
        raise shutil.Error([(source, target, said), (source, target, "another")])

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(UserError, match=r"failed: No space left on device; no version"):
        publish.publish(str(model), str(base))
    assert sorted(os.listdir(base)) == ["1"]


def test_a_reader_sees_whole_versions_only(model, tmp_path):
    """Whatever number it lists holds all files, at any moment."""
    base = tmp_path / "served"
    context = multiprocessing.get_context("spawn")
    done = context.Queue()
    worker = context.Process(
        target=publish_some, args=(str(model), str(base), 30, done)
    )
    worker.start()
    seen = set()
    end = time.monotonic() + 120
    while len(seen) < 30 and time.monotonic() < end:
        for number in set(publish.versions(str(base))) - seen:
            assert content(base / str(number)) == content(model)
            seen.add(number)
    worker.join(120)
    assert seen == set(range(1, 31))


def test_what_can_not_be_published(model, tmp_path):
    with pytest.raises(UserError, match="is no kfer model"):
        publish.publish(str(tmp_path), str(tmp_path / "served"))
    assert not (tmp_path / "served").exists()
    with pytest.raises(UserError, match="inside itself"):
        publish.publish(str(model), str(model / "served"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"failed: File exists; no version was added"):
        publish.publish(str(model), str(tmp_path / "file"))


def test_a_version_padded_with_zeros_is_found(tmp_path):
    (tmp_path / "0010").mkdir()
    assert publish.folder_of(str(tmp_path), 10) == str(tmp_path / "0010")
    assert publish.folder_of(str(tmp_path), 11) == str(tmp_path / "11")

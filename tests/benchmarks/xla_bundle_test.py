"""The bundle of rows: packed by a command, started, killed and gone on with."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from kfer.data.datasets import ReaderOptions, make
from kfer.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
XLA = ROOT / "benchmarks" / "xla"
PYTHON = ROOT / ".venv-xla" / "bin" / "python"
ROWS = ["authors_2021-vgg_all", "authors_2021-vgg_clean"]
NARROW = "width=0.125,batch_size=8,noise_size=8,embedding_size=64,learning_rate=0.001"

sys.path.insert(0, str(XLA))
import pictures  # noqa: E402

needs_jax = pytest.mark.skipif(
    not PYTHON.exists(), reason="needs .venv-xla; make env-xla makes it"
)


def jpegs(count, seed):
    """Blurred noise as JPEG: what decodes from it is what the data set holds."""
    found = []
    for coarse in np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3)):
        image = PIL.Image.fromarray(coarse.astype(np.uint8)).resize((32, 32))
        image.save(file := io.BytesIO(), "jpeg")
        found.append(file.getvalue())
    return found


def write_raw(folder, name, copies, labels):
    """One batch file of the official layout."""
    pixels = [pictures.decode(copy).transpose(2, 0, 1).ravel() for copy in copies]
    os.makedirs(folder / "cifar-10-batches-py", exist_ok=True)
    with open(folder / "cifar-10-batches-py" / name, "wb") as file:
        pickle.dump({b"data": np.stack(pixels), b"labels": labels}, file)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """(folder of raw data, archive): 16 training and 8 test pictures."""
    folder = tmp_path_factory.mktemp("raw")
    with tarfile.open(folder / "copies.tar.xz", "w:xz") as archive:
        for seed, (split, name, count) in enumerate(
            [("train", "data_batch_1", 16), ("test", "test_batch", 8)]
        ):
            copies, labels = jpegs(count, seed), [i % 10 for i in range(count)]
            write_raw(folder, name, copies, labels)
            # Not in order: pictures are found by their number.
            for index in reversed(range(count)):
                member = tarfile.TarInfo(f"{split}/{index:05d}_{labels[index]}.jpg")
                member.size = len(copies[index])
                archive.addfile(member, io.BytesIO(copies[index]))
    return folder, folder / "copies.tar.xz"


@pytest.fixture(scope="module")
def dataset(raw, tmp_path_factory):
    target = tmp_path_factory.mktemp("data") / "cifar10"
    return make("cifar10", str(raw[0]), str(target), ReaderOptions(), "test", False)


def test_copies_in_the_order_of_the_data_set(raw, dataset):
    found = pictures.of_archive(dataset, str(raw[1]))
    for split, count, seed in (("train", 16, 0), ("test", 8, 1)):
        ends = found[f"{split}/ends"]
        packed = found[f"{split}/bytes"].tobytes()
        begins = [0, *ends[:-1]]
        assert [packed[a:b] for a, b in zip(begins, ends)] == jpegs(count, seed)


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda name, data: None, "has no picture train-00003"),
        (lambda name, data: jpegs(1, 9)[0], "train-00003 in .* is not the data set's"),
    ],
)
def test_a_copy_that_is_missing_or_another(raw, dataset, tmp_path, change, said):
    with tarfile.open(raw[1]) as source, tarfile.open(tmp_path / "a.tar", "w") as out:
        for member in source:
            data = source.extractfile(member).read()
            if member.name.startswith("train/00003"):
                data = change(member.name, data)
            if data is not None:
                member.size = len(data)
                out.addfile(member, io.BytesIO(data))
    with pytest.raises(UserError, match=said):
        pictures.of_archive(dataset, str(tmp_path / "a.tar"))


def test_no_archive(dataset, tmp_path):
    with pytest.raises(UserError, match="Can't read the pictures in .*no.tar"):
        pictures.of_archive(dataset, str(tmp_path / "no.tar"))


def bundle(raw, tmp_path, *flags):
    command = [sys.executable, str(XLA / "bundle.py"), f"--source_dir={raw[0]}"]
    command += [f"--pictures={raw[1]}", f"--work_dir={tmp_path / 'work'}"]
    command += [f"--out={tmp_path / 'rows.tar.xz'}", "--recipes=authors_2021"]
    command += ["--methods=vgg_all,vgg_clean", f"--set={NARROW}", *flags]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def resume(folder, out, *flags):
    command = [str(PYTHON), str(folder / "bundle" / "resume.py"), f"--out={out}"]
    return subprocess.Popen([*command, *flags], start_new_session=True)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@needs_jax
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_packed_killed_and_gone_on(raw, tmp_path):
    done = bundle(raw, tmp_path, "--limit_mib=0.01", "--methods=vgg_clean")
    assert done.returncode == 2 and "more than --limit_mib=0.01" in done.stderr
    assert not (tmp_path / "rows.tar.xz").exists()
    done = bundle(raw, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1])["rows"] == ROWS
    with tarfile.open(tmp_path / "rows.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")

    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert resume(tmp_path, whole, "--epochs=2").wait() == 0
    process = resume(tmp_path, killed, "--epochs=2", "--save_seconds=0")
    while not (killed / ROWS[0] / "state.npz").exists() and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    # No time for an epoch.
    minutes = "--minutes=0.0001"
    assert resume(tmp_path, killed, "--epochs=2", minutes).wait() == 75
    assert resume(tmp_path, killed, "--epochs=2").wait() == 0

    rows = lines(killed / "epochs.jsonl")
    assert [(r["row"], r["epoch"], r["step"]) for r in rows] == [
        (name, epoch, 2 * epoch) for name in ROWS for epoch in (1, 2)
    ]
    assert rows[0]["pflop"] > 0 and rows[1]["pflop"] == 2 * rows[0]["pflop"]
    assert rows[1]["total_seconds"] > rows[0]["total_seconds"]
    assert all(row["test"]["class"]["count"] == 8 for row in rows)
    for name in ROWS:
        with (
            np.load(whole / name / "state.npz") as one,
            np.load(killed / name / "state.npz") as two,
        ):
            assert [k for k in one if not np.array_equal(one[k], two[k])] == []
    # Nothing is left: it ends at once, and a row that isn't there is named.
    assert resume(tmp_path, killed, "--epochs=2").wait() == 0
    assert resume(tmp_path, killed, "--rows=paper-joint").wait() == 2

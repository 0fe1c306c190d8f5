import os
import subprocess
import sys

import pytest

from kfer.data import dataset as dataset_lib
from tests.data.datasets import cifar_roots


def run(*arguments):
    """Status, stdout and stderr of kfer-data in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "kfer.bin.data_main", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A raw folder and the data set made of it, with what the making logged."""
    path = tmp_path_factory.mktemp("data_main")
    raw = cifar_roots.make(path / "raw")
    status, out, err = run(
        "make",
        "--dataset=cifar10",
        f"--source_dir={raw}",
        f"--out_dir={path / 'set'}",
        "--flip_rates=0.2,0.3",
        "--num_train=50",
        "--seed=4",
    )
    assert (status, out) == (0, ""), err
    return raw, path / "set", err


def test_make_logs_the_noise_it_got(folders):
    _, folder, err = folders
    assert (
        "annotator_1: 20.00 % of 50 labels differ from the truth (requested 20" in err
    )
    assert "annotator_2: 30.00 % of 50 labels" in err
    assert "holds {'train': 50, 'test': 20}" in err
    made = dataset_lib.load(str(folder))
    assert made.command.startswith("data_main.py make --dataset=cifar10")
    assert made.options["seed"] == 4
    assert made.options["limit"] == {"train": 50}


def test_show_prints_counts_and_noise(folders):
    status, out, err = run("show", folders[1])
    assert (status, err) == (0, "")
    assert "train: 50 examples" in out
    assert "  clean/class: 50 (airplane 5, automobile 5, bird 5, cat 5" in out
    assert "  label/annotator_1: 0 (airplane, automobile" in out
    assert "  annotator_2: noise 30.00%, requested 30.00%" in out
    assert "set aside:\n  none" in out


def test_verify_reads_everything(folders, tmp_path):
    status, out, _ = run("verify", folders[1])
    assert status == 0
    assert "cifar10 is whole: {'train': 50, 'test': 20}" in out
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in os.listdir(folders[1]):
        data = (folders[1] / name).read_bytes()
        cut = 1 if name.endswith(".tfrecord") else 0
        (copy / name).write_bytes(data[: len(data) - cut])
    status, out, err = run("verify", copy)
    assert (status, out) == (2, "")
    assert err.startswith("kfer-data: error: ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "A subcommand is needed; known: import, make, verify, show"),
        (["shwo"], "Unknown subcommand 'shwo'; known: import, make, verify, show"),
        (["show"], "show takes one folder, got []"),
        (["show", "/nowhere"], "There is no folder /nowhere"),
        (["make", "--out_dir=x"], "make needs --dataset"),
        (["make", "x", "--dataset=cifar10"], "make takes flags only, got 'x'"),
        (["make", "--dataset=mnist", "--out_dir=x"], "Unknown data set 'mnist'"),
        (
            ["make", "--dataset=cifar10", "--out_dir=x", "--flip_rates=a"],
            "--flip_rates takes numbers separated by commas, got 'a'",
        ),
        (
            ["make", "--dataset=cifar10n", "--out_dir=x", "--flip_rates=0.2"],
            "--flip_rates goes with --dataset=cifar10 or synthetic_faces alone",
        ),
        (
            ["make", "--dataset=manifest", "--out_dir=x", "--scale=valence=1:9"],
            "--scale goes with import, make doesn't read it",
        ),
        (["import", "x", "--flip=inclusive"], "--flip goes with make, import doesn't"),
        (["verify", "x", "--seed=1"], "--seed goes with make and import, verify"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, text):
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert f"kfer-data: error: {text}" in err
    assert err.count("\n") == 1


def test_an_existing_set_is_not_replaced_unless_asked(folders):
    raw, folder, _ = folders
    arguments = [
        "make",
        "--dataset=cifar10",
        f"--source_dir={raw}",
        f"--out_dir={folder}",
    ]
    before = dataset_lib.load(str(folder))
    status, _, err = run(*arguments)
    assert status == 2 and "already holds a data set" in err
    assert dataset_lib.load(str(folder)) == before


def test_help_lists_the_subcommands_and_flags():
    status, out, err = run("--help")
    assert (status, err) == (0, "")
    for text in (
        "kfer-data verify DIR",
        "--out_dir",
        "--[no]overwrite",
        "synthetic_faces",
    ):
        assert text in out


def test_help_of_import_lists_its_flags():
    status, out, err = run("import", "--help")
    assert (status, err) == (0, "")
    for flag in ("images", "[no]dry_run", "classes", "scale", "column", "max_rejected"):
        assert f"\n  --{flag}: " in out

"""Wrong inputs end in one line and status 2; --help is readable."""

import json
import subprocess
import sys

import pytest


def run(*flags):
    return subprocess.run(
        [sys.executable, "-m", "kfer.bin.train_main", *flags],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "flags, text",
    [
        (["--experiment=x", "--out_dir=o"], "Unknown experiment 'x'; known: affectnet"),
        (["--out_dir=o"], "Name an --experiment: affectnet_multi"),
        (["--experiment=cifar10_multi"], "Name an --out_dir"),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--recipe=best"],
            "Unknown recipe 'best'; known: authors_2021, kfer, paper",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--method=magic"],
            "Unknown method 'magic'; known: air, co_teaching",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--set=depth=3"],
            "Unknown setting ['depth']",
        ),
        (
            ["--experiment=raf_multi", "--out_dir=o", "--set=depth=3", "--set=hue=1"],
            "Unknown setting ['depth', 'hue']",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--set=depth"],
            "Settings are name=value, got 'depth'",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--image_size=48"],
            "image_size 48 is none of (32, 64, 96, 128, 256)",
        ),
        (["stray", "--out_dir=o"], "kfer-train takes flags only, got 'stray'"),
    ],
)
def test_wrong_flags(flags, text):
    done = run(*flags)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("kfer-train: error: ") and text in lines[0]


def test_missing_data_folder(tmp_path):
    done = run(
        "--experiment=cifar10_multi",
        f"--data_dir={tmp_path / 'none'}",
        f"--out_dir={tmp_path / 'run'}",
    )
    assert done.returncode == 2
    assert f"There is no folder {tmp_path / 'none'}" in done.stderr
    assert not (tmp_path / "run").exists()


def test_workers_need_prepared_data(monkeypatch, tmp_path):
    task = {"type": "worker", "index": 1}
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": task}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    flags = ["--experiment=synthetic_faces", f"--out_dir={tmp_path / 'run'}"]
    done = run(*flags, "--strategy=multi_worker")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "Several workers read one prepared data set, and --data_dir='' is" in line
    assert not (tmp_path / "run").exists()


def test_help_lists_the_flags():
    done = run("--help")
    assert done.returncode == 0
    for flag in ("--experiment", "--method", "--data_dir", "--[no]deterministic"):
        assert flag in done.stdout

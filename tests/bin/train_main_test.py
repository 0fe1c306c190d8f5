"""Wrong inputs end in one line and status 2; --help is readable."""

import dataclasses
import json
import subprocess
import sys

import pytest

from kfer.data import dataset as dataset_lib
from kfer.data import record
from kfer.data.record import Record
from tests.data.prepared import png

MOOD = record.categorical("mood", ("dull", "keen"), "mood")
TENSION = record.Column("tension", "continuous", (), ("t",), 1.0, 9.0)


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
        (
            ["--out_dir=o", "--steps=3", "--epochs=2"],
            "--steps and --epochs both say how long to train; give one",
        ),
        (["--out_dir=o"], "Name a --data_dir, a prepared data set, or an --exp"),
        (["--out_dir=o", "--data_dir=/no"], "There is no folder /no"),
        (
            ["--out_dir=o", "--data_dir=/no", "--set=tasks=[1]"],
            "tasks is no setting to give a value to, got 'tasks=[1]'",
        ),
        (
            ["--out_dir=o", "--data_dir=/no", "--epochs=1", "--set=epochs=2"],
            "epochs has a flag of its own; leave --set=epochs out",
        ),
        (
            ["--out_dir=o", "--experiment=raf_multi", "--set=score_weights=1"],
            "score_weights can't be set to 1",
        ),
        (
            ["--out_dir=o", "--experiment=raf_multi", "--tasks=mood"],
            "raf_multi has no task 'mood'; it has expression, valence_arousal",
        ),
        (["--experiment=cifar10_multi"], "Name an --out_dir"),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--recipe=best"],
            "Unknown recipe 'best'; known: authors_2021, kfer, paper",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--method=magic"],
            "Unknown method 'magic'; known: air, annot_mix",
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
            ["--experiment=cifar10_multi", "--out_dir=o", "--image_size=40"],
            "image_size 40 is none of (32, 48, 64, 96, 128, 256)",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--schedule=step"],
            "Unknown schedule 'step'; known: constant, cosine, one_cycle",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--optimizer=lion"],
            "Unknown optimizer 'lion'; known: adam, sgd",
        ),
        (
            ["--out_dir=o", "--data_dir=d", "--method=joint", "--objective=sce"],
            "--method=joint and --objective both choose the method; give one of them",
        ),
        (
            ["--experiment=cifar10_multi", "--out_dir=o", "--method=ltnet+em"],
            "Method 'ltnet+em' has two values of annotators: ltnet and em; choose one",
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


def test_what_is_learned_follows_from_the_data(tmp_path):
    """From annotators without any truth to a model, a report and an agreement."""
    label_set = {"annotator_ä": MOOD, "annotator_b": MOOD, "tension": TENSION}
    rows = [
        Record(str(i), png(i), {"annotator_ä": i % 2, "tension": (i % 9 + 1.0,)}, {})
        for i in range(24)
    ]
    columns = {name: dataclasses.replace(c, name=name) for name, c in label_set.items()}
    data = tmp_path / "data"
    dataset_lib.write(str(data), "mine", {"train": rows}, columns, {}, image_size=32)
    small = ["--width=0.125", "--steps=2", "--method=vgg_all", "--set=noise_size=8"]
    done = run(f"--data_dir={data}", f"--out_dir={tmp_path / 'run'}", *small)
    assert done.returncode == 0, done.stderr
    assert "learns annotator_a of mood: dull, keen" in done.stderr
    assert "learns tension: t in [1, 9]" in done.stderr
    assert done.stderr.count("--holdout=0.1 of kfer-train keeps") == 2
    assert done.stdout.startswith("not evaluated")
    assert (tmp_path / "run" / "report.html").is_file()
    held = ["--holdout=0.25", "--tasks=mood", "--noexport"]
    done = run(f"--data_dir={data}", f"--out_dir={tmp_path / 'held'}", *small, *held)
    assert done.returncode == 0, done.stderr
    assert (
        "mood: accuracy" in done.stdout and "[labels of the split valid]" in done.stdout
    )
    metrics = json.loads((tmp_path / "held" / "metrics.json").read_text())
    assert metrics["scored_on"] == {"split": "valid", "against": "labels"}
    kept = dataset_lib.load(str(tmp_path / "held" / "data" / "holdout")).splits["valid"]
    assert metrics["last"]["test"]["mood"]["num_examples"] == kept.num_records > 0


def test_help_lists_the_flags():
    done = run("--help")
    assert done.returncode == 0
    for flag in ("--experiment", "--method", "--data_dir", "--[no]deterministic"):
        assert flag in done.stdout

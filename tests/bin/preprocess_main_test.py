"""The command: flags, Beam's flags, exit codes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from kfer.bin import preprocess_main
from kfer.data import dataset as dataset_lib
from kfer.data.datasets import raf
from kfer.errors import UserError


def run(*args):
    return subprocess.run(
        [sys.executable, "-m", "kfer.bin.preprocess_main", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


def test_beams_flags_go_behind_the_own_ones():
    argv = ["p", "--runner=X", "--dataset=raf", "--direct_num_workers", "2", "--verify"]
    assert preprocess_main.beam_flags_last(argv) == [
        "p",
        "--dataset=raf",
        "--verify",
        "--",
        "--runner=X",
        "--direct_num_workers",
        "2",
    ]
    assert preprocess_main.beam_flags_last(["p", "--seed=1"]) == ["p", "--seed=1"]


def test_unknown_flags_are_refused_with_a_hint():
    preprocess_main.check_beam_args(["--direct_num_workers=2", "--job_name=x"])
    with pytest.raises(UserError, match="--image_sise=3; did you mean --image_size"):
        preprocess_main.check_beam_args(["--image_sise=3"])
    dask = ["--runner=DaskRunner", "--dask_npartitions=4"]
    preprocess_main.check_beam_args(dask)
    with pytest.raises(UserError, match="Unknown flag --dask_partitions"):
        preprocess_main.check_beam_args([*dask, "--dask_partitions=4"])
    # A job server knows flags that Beam's Python part doesn't.
    preprocess_main.check_beam_args(["--runner=FlinkRunner", "--parallelism=4"])


@pytest.mark.slow
def test_the_command_makes_a_data_set(tmp_path):
    raf.make_fake_root(str(tmp_path / "raf"), 12, np.random.default_rng(0))
    done = run(
        "--dataset=raf",
        f"--source_dir={tmp_path}/raf",
        f"--out_dir={tmp_path}/out",
        "--image_size=48",
        "--alignment=authors_2021",
        "--direct_num_workers=1",
        "--verify",
    )
    assert done.returncode == 0, done.stderr
    dataset = dataset_lib.load(str(tmp_path / "out"))
    assert dataset.image_size == 48
    assert dataset.notes["settings"]["alignment"] == "authors_2021"
    assert dataset.content_hash[:16] in done.stdout
    assert "12 rows = 12 records + 0 set aside" in done.stderr


def test_mistakes_exit_with_one_line(tmp_path):
    done = run("--dataset=raf", f"--out_dir={tmp_path}/out")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("kfer-preprocess needs --source_dir")
    done = run(
        "--dataset=manifest",
        f"--source_dir={tmp_path}",
        f"--out_dir={tmp_path}/out",
        "--num_annotators=2",
    )
    assert done.returncode == 2
    assert done.stderr.strip().endswith("--num_annotators goes with ferplus alone")


PROGRAM = """
import sys
from kfer.bin import preprocess_main
preprocess_main.FLAGS(sys.argv)
options = preprocess_main.job_from_flags([]).options
print(options.va_noise, options.limit, options.num_classes)
"""


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ([], "None None 8"),
        (
            ["--va_from_votes=0.25", "--num_train=40", "--num_test=0"],
            "0.25 {'train': 40, 'test': 0} 8",
        ),
    ],
)
def test_flags_reach_the_reader(tmp_path, flags, text):
    given = ["--dataset=ferplus", f"--source_dir={tmp_path}", "--out_dir=o", *flags]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *given],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == text


def test_a_framing_says_what_is_done_with_the_pictures(tmp_path):
    program = PROGRAM.rsplit("options =", 1)[0] + (
        "job = preprocess_main.job_from_flags([])\n"
        "print(job.framing, job.settings.alignment, job.settings.detector)"
    )
    given = ["--dataset=manifest", f"--source_dir={tmp_path}", "--out_dir=o"]
    for flags, text in (
        ([], " eyes mtcnn"),
        (["--framing=as_given"], "as_given none mtcnn"),
        (["--framing=as_given", "--detector=yuface"], "as_given box yuface"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, *given, *flags],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.removesuffix("\n") == text


def test_help_is_readable():
    done = run("--help")
    assert "--[no]remove_leaks" in done.stdout
    assert "Turns an annotated face folder" in done.stdout

"""kfer-pipeline: wrong use is one line, said before TensorFlow is loaded."""

import dataclasses
import subprocess
import sys

import pytest

from pipelines import config
from tests.bin.processes import run
from tests.packages import needs_package

pytestmark = needs_package("tfx")


@pytest.mark.parametrize(
    "arguments, text",
    [
        ([], "Say one of run, compile, submit, got ''"),
        (["go"], "Say one of run, compile, submit, got 'go'"),
        (
            ["run"],
            "Name a --pipeline (synthetic_faces, synthetic_judges, cifar10_noisy, ",
        ),
        (["run", "--pipeline=faces", "--root=r"], "Unknown pipeline 'faces'; known: "),
        (
            ["run", "--pipeline=ferplus", "--root=r", "--image=i"],
            "--image goes with compile",
        ),
        (
            [
                "run",
                "--pipeline=raf_base",
                "--root=r",
                "--teacher_model=m",
                "--teacher_steps=3",
            ],
            "A --teacher_model is not trained; leave its settings out",
        ),
        (
            ["compile", "--pipeline=ferplus", "--root=r"],
            "compile needs --out",
        ),
        (
            ["run", "--pipeline=ferplus", "--root=r", "--encoder_weights=none.npz"],
            "--encoder_weights=none.npz is no file",
        ),
        (
            ["run", "--pipeline=ferplus", "--root=r", "--minimum=a/b=c"],
            "--minimum takes numbers; a/b has none",
        ),
        (
            ["run", "--pipeline=ferplus", "--root=r", "--trainer_gpus=1"],
            "--trainer_gpus goes with compile",
        ),
        (
            ["compile", "--pipeline=ferplus", "--root=r", "--project=p"],
            "--project goes with submit",
        ),
        (["submit", "--out=x.json"], "submit needs --project"),
        (
            ["submit", "--out=x.json", "--project=p", "--region=r", "--steps=3"],
            "--steps is of compile; submit takes what that wrote",
        ),
        (
            ["submit", "--out=none.json", "--project=p", "--region=us-central1"],
            "There is no specification none.json",
        ),
    ],
)
def test_wrong_use(arguments, text):
    status, _, stderr = run("pipeline", *arguments)
    assert status == 2 and len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("kfer-pipeline: error: ") and text in stderr


PROGRAM = """
import sys
from kfer.bin import pipeline_main
pipeline_main.FLAGS(sys.argv)
print(pipeline_main.config_from_flags())
"""


def test_flags_make_the_config():
    # In a process of its own: commands may define the same flags.
    arguments = [
        "--pipeline=raf_base",
        "--root=r",
        "--set=epochs=3",
        "--set=width=0.5",
        "--teacher_set=epochs=2",
        "--steps=9",
        "--minimum=expression/accuracy=0.7",
        "--strategy=default",
        "--mixed_precision=bfloat16",
        "--jit_compile",
        "--encoder_weights=imagenet",
        "--eval_every=4",
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = config.named(
        "raf_base",
        {"epochs": 3, "width": 0.5},
        {"epochs": 2},
        minimum={"expression/accuracy": 0.7},
        steps=9,
    )
    running = config.Running("default", "bfloat16", True, "imagenet", "", 4)
    wanted = dataclasses.replace(wanted, running=running)
    assert done.stdout.strip() == str(wanted)


def test_help():
    status, stdout, _ = run("pipeline", "--help")
    assert status == 0 and "--teacher_data_dir" in stdout

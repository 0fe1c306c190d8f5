"""A run that is killed and started again ends with the bits of one that wasn't."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest

from tests.training.commands import command, history, weights

PAPER = ("--set=embedding_size=64",)
# The whole recipe for small networks. Four steps are an epoch, after which pictures are
# mirrored the other way round and em counts its annotators anew.
FAST = (
    "--optimization=fast",
    "--backbone=compact_xs",
    "--learning_rate=0.05",
    "--set=lookahead_every=3",
    "--set=cutout=8",
)
KILLED = {
    "kfer": (*PAPER, "--recipe=kfer"),
    "paper": (*PAPER, "--recipe=paper"),
    "fast": (*PAPER, "--optimization=fast", "--learning_rate=0.01"),
    "compact-vgg_all": (*FAST, "--method=vgg_all"),
    "compact-joint": (*FAST, "--method=joint"),
    "compact-em": (*FAST, "--method=em", "--set=em_start_epoch=1"),
    "averaged": (
        *PAPER,
        "--averaging=ema",
        "--schedule=cosine",
        "--mixup=0.5",
        "--label_smoothing=0.1",
        "--weight_decay=0.01",
        "--set=decay_form=decoupled",
        "--set=cutout=8",
        "--test_averaging=flip",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("flags", KILLED.values(), ids=KILLED)
def test_a_killed_run_ends_with_the_same_bits(data_dir, tmp_path, flags):
    whole, killed = str(tmp_path / "whole"), str(tmp_path / "killed")
    subprocess.run(command(data_dir, whole, *flags), check=True)
    process = subprocess.Popen(command(data_dir, killed, *flags))
    # Two evaluations in, step 4: in the middle, whatever the machine's speed.
    first = os.path.join(killed, "checkpoints", "step-00000004.index")
    while not os.path.exists(first) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not os.path.exists(os.path.join(killed, "metrics.json"))
    subprocess.run(command(data_dir, killed, *flags), check=True)
    expected, found = weights(whole), weights(killed)
    assert expected.keys() == found.keys()
    different = [n for n in expected if not np.array_equal(expected[n], found[n])]
    assert different == []
    assert [row["step"] for row in history(killed)] == [2, 4, 6, 8]

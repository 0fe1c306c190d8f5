"""Two processes train one model: the same as one, and again after a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

# The larger epsilon keeps Adam's steps from being signs of gradients that are 0 but
# for rounding, see tests/methods/replicas.py.
_FLAGS = (
    "--experiment=synthetic_faces",
    "--width=0.125",
    "--batch_size=8",
    "--steps=6",
    "--eval_every=2",
    "--deterministic",
    "--noexport",
    "--set=gan_start_epoch=-1",
    "--set=noise_size=8",
    "--set=embedding_size=64",
    "--set=epsilon=0.01",
)
_MINUTES = 8


def start(data_dir, out_dir, *flags, **environment):
    command = [sys.executable, "-m", "kfer.bin.train_main", *_FLAGS]
    command += [f"--data_dir={data_dir}", f"--out_dir={out_dir}", *flags]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_workers(data_dir, out_dir):
    hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        start(
            data_dir,
            out_dir,
            "--strategy=multi_worker",
            TF_CONFIG=json.dumps(
                {
                    "cluster": {"worker": hosts},
                    "task": {"type": "worker", "index": index},
                }
            ),
        )
        for index in range(2)
    ]


def finish(processes):
    """(exit status, stderr) of each; none is left running."""
    found = []
    try:
        for process in processes:
            _, errors = process.communicate(timeout=60 * _MINUTES)
            found.append((process.returncode, errors))
    finally:
        for process in processes:
            process.kill()
    return found


def assert_finished(processes):
    for status, errors in finish(processes):
        assert status == 0, errors[-3000:]


def values(run_dir, step):
    """Name -> value of all that a checkpoint holds, the optimizers' moments too.

    Logged means are left out: each replica counts, and none depends on another step's.
    """
    prefix = os.path.join(run_dir, "checkpoints", f"step-{step:08d}")
    reader = tf.train.load_checkpoint(prefix)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if not name.startswith(("_CHECKPOINTABLE", "save_counter"))
        and "/means/" not in name
    }


def largest_gap(one, two):
    """(largest difference of a variable over its largest value, the variable's name);
    a value below 1e-3 counts as that: it is a moment, or a bias near 0."""
    assert one.keys() == two.keys() and len(one) > 100
    return max(
        (np.abs(np.float64(one[n]) - two[n]).max() / max(np.abs(one[n]).max(), 1e-3), n)
        for n in one
    )


@pytest.fixture(scope="module")
def whole(data_dir, tmp_path_factory):
    """A run of two workers from start to end."""
    run_dir = str(tmp_path_factory.mktemp("whole") / "run")
    assert_finished(start_workers(data_dir, run_dir))
    return run_dir


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_equal_one(data_dir, whole, tmp_path):
    alone = str(tmp_path / "alone")
    assert_finished([start(data_dir, alone, "--strategy=default")])
    gaps = {
        step: largest_gap(values(alone, step), values(whole, step)) for step in (2, 6)
    }
    print(f"largest relative gaps by step: {gaps}")
    # Rounding, of biases that began at 0; it grows where it moves a ReLU across its kink.
    assert gaps[2][0] < 2e-5 and gaps[6][0] < 5e-3
    assert sorted(os.listdir(whole)) == sorted(os.listdir(alone))
    with open(os.path.join(whole, "metrics.json"), encoding="utf-8") as file:
        assert json.load(file)["last"]["step"] == 6


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_killed_worker(data_dir, whole, tmp_path):
    """The other ends with one line; started again, both end where `whole` did."""
    run_dir = str(tmp_path / "run")
    processes = start_workers(data_dir, run_dir)
    first = os.path.join(run_dir, "checkpoints", "step-00000002.index")
    while not os.path.exists(first) and processes[1].poll() is None:
        time.sleep(0.02)
    processes[1].send_signal(signal.SIGKILL)
    (status, errors), (killed, _) = finish(processes)
    assert killed == -signal.SIGKILL
    print(errors[-1000:])
    assert status == 2
    assert "start every one again with the same command" in errors.splitlines()[-1]
    assert not os.path.exists(os.path.join(run_dir, "metrics.json"))
    again = start_workers(data_dir, run_dir)
    found = finish(again)
    assert [status for status, _ in found] == [0, 0], found[0][1][-3000:]
    assert "Going on at step" in found[0][1]
    assert largest_gap(values(whole, 6), values(run_dir, 6))[0] == 0.0

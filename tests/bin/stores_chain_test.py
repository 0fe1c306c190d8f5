"""The whole chain on an object store, with the values that folders give."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from kfer.storage import fetching
from tests import stores
from tests.bin import processes

pytestmark = pytest.mark.slow

BUCKET = "s3://chain"
TRAINING = [
    "--method=vgg_all",
    "--tasks=annotator_1",
    "--width=0.125",
    "--batch_size=8",
    "--seed=3",
    "--steps=6",
    "--eval_every=2",
    "--deterministic",
    "--strategy=default",
]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The cache folder of the commands, which is set; the store is up."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch, stores.s3("chain"):
        patch.setenv(fetching.CACHE, str(folder))
        yield folder


def kfer(command, *arguments):
    status, out, err = processes.run(command, *arguments)
    assert status == 0, err
    return out, err


def make_chain(root, picture):
    """Data, run, scores, published model and a prediction below `root`."""
    data, run = f"{root}/data", f"{root}/run"
    counts = ("--num_train=32", "--num_test=16")
    kfer("data", "make", "--dataset=synthetic_faces", f"--out_dir={data}", *counts)
    kfer("train", f"--data_dir={data}", f"--out_dir={run}", *TRAINING)
    scored = ("evaluate", f"--run={run}", f"--out={root}/scores.json")
    _, first = kfer(*scored)
    _, second = kfer(*scored)
    kfer("export", f"--run={run}", f"--publish={root}/models")
    said, _ = kfer(
        "predict", picture, f"--model={root}/models", "--format=json", "--framing=none"
    )
    return json.loads(said), first, second


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    import numpy as np
    from PIL import Image

    path = tmp_path_factory.mktemp("picture") / "a.png"
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return str(path)


@pytest.fixture(scope="module")
def chains(cache, picture, tmp_path_factory):
    """(root, what was predicted and said) of the chain on folders and on the store."""
    local = tmp_path_factory.mktemp("local")
    return (str(local), *make_chain(local, picture)), make_chain(BUCKET, picture)


def stored_json(key):
    return json.loads(stores.content(BUCKET)[key])


def local_json(root, key):
    with open(os.path.join(root, key)) as file:
        return json.load(file)


def test_data_runs_scores_and_answers_are_those_of_folders(chains):
    (root, answers, *_), (remote_answers, *_) = chains
    data = [
        f("data/dataset.json") for f in (stored_json, lambda k: local_json(root, k))
    ]
    assert data[0]["content_hash"] == data[1]["content_hash"]
    scores = [f("scores.json") for f in (stored_json, lambda k: local_json(root, k))]
    assert scores[0]["scores"] == scores[1]["scores"]
    assert scores[0]["data"]["root"] == f"{BUCKET}/data"
    assert scores[0]["run"] == f"{BUCKET}/run"
    metrics = [
        f("run/metrics.json")["last"]["test"]
        for f in (stored_json, lambda k: local_json(root, k))
    ]
    assert metrics[0] == metrics[1]
    assert answers == remote_answers


def test_the_store_holds_what_the_folders_hold(chains):
    (root, *_), _ = chains
    here = {
        os.path.relpath(os.path.join(at, name), root)
        for at, _, names in os.walk(root)
        for name in names
    }
    there = stores.content(BUCKET)
    # its name has the time and the process in it
    events = {key for key in {*here, *there} if "tfevents" in key}
    assert len(events) == 2
    assert {*there} - events == here - events - {".models.publish.lock"}


def test_a_second_command_fetches_nothing(chains):
    _, (_, first, second) = chains
    assert "Fetching" in first and "Fetching" not in second


def test_nothing_delivered_names_the_cache_or_a_credential(chains, cache):
    del chains
    secrets = [
        str(cache).encode(),
        stores.CREDENTIALS["AWS_SECRET_ACCESS_KEY"].encode(),
    ]
    for key, content in stores.content(BUCKET).items():
        assert not [secret for secret in secrets if secret in content], key


@contextlib.contextmanager
def serving(model):
    """A kfer-serve of its own; its address and its process."""
    command = [sys.executable, "-m", "kfer.bin.serve_main", f"--model={model}"]
    more = ["--port=0", "--poll_seconds=0.5", "--name=faces"]
    with subprocess.Popen(
        [*command, *more], stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            for line in server.stderr:
                if "Listening at " in line:
                    yield line.split("Listening at ")[1].strip()
                    break
            else:
                pytest.fail("the server ended")
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate()


def ask(address, path, body=None):
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(f"{address}/v1/models/faces{path}", data) as answer:
        return json.load(answer)


def test_served_answers_are_those_of_folders_and_a_newer_version_comes(chains):
    import numpy as np

    (root, *_), _ = chains
    image = np.random.default_rng(1).uniform(-1, 1, (1, 32, 32, 3)).round(3).tolist()
    body = {"signature_name": "predict_images", "inputs": {"images": image}}
    with serving(f"{root}/models") as address:
        expected = ask(address, ":predict", body)
    with serving(f"{BUCKET}/models") as address:
        assert ask(address, ":predict", body) == expected
        kfer("export", f"--run={BUCKET}/run", f"--publish={BUCKET}/models")
        for _ in range(120):
            status = ask(address, "")["model_version_status"]
            if [row["version"] for row in status] == ["2"]:
                break
            time.sleep(0.5)
        else:
            pytest.fail(f"version 2 never answered: {status}")


def test_a_killed_training_goes_on_on_another_machine(chains, cache):
    """Killed once a checkpoint is delivered; the cache, and so the staging, is lost."""
    del chains
    command = [f"--data_dir={BUCKET}/data", f"--out_dir={BUCKET}/killed", *TRAINING]
    popen = subprocess.Popen(
        [sys.executable, "-m", "kfer.bin.train_main", *command],
        stderr=subprocess.DEVNULL,
    )
    delivered = "killed/checkpoints/step-00000002.index"
    while delivered not in stores.content(BUCKET) and popen.poll() is None:
        time.sleep(0.05)
    popen.kill()
    popen.wait()
    assert "killed/metrics.json" not in stores.content(BUCKET)
    shutil.rmtree(cache)
    _, said = kfer("train", *command)
    assert "Going on at step" in said
    rows = [
        [json.loads(line)["test"] for line in stores.content(BUCKET)[key].splitlines()]
        for key in ("run/history.jsonl", "killed/history.jsonl")
    ]
    assert len(rows[0]) == 3 and rows[0] == rows[1]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "can't be reached: Endpoint"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            "can't be reached: NoC",
        ),
    ],
)
def test_a_store_that_refuses_is_one_line(cache, monkeypatch, changed, said):
    del cache
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in changed.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    status, out, err = processes.run("data", "show", f"{BUCKET}/data")
    assert (status, out) == (2, "")
    assert err.startswith(f"kfer-data: error: {BUCKET}/data {said}")
    assert err.count("\n") == 1


def test_what_takes_folders_alone_is_one_line():
    for command, flag in (
        ("lineage", "--metadata=s3://b/x"),
        ("experiments", "--out_dir=s3://b/x"),
        ("demo", "--out_dir=s3://b/x"),
        ("serve", "--runs_dir=s3://b/x"),
        ("predict", "--annotate=s3://b/x"),
    ):
        status, out, err = processes.run(command, flag)
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert f"{flag.split('=')[0]} is s3://b/x, and this takes folders of" in err

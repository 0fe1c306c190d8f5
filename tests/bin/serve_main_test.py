"""The command from its start to its end."""

import json
import re
import signal
import subprocess
import sys
import threading

import pytest

from examples import grpc_client
from kfer.server import running
from tests import runs
from tests.bin.processes import run as run_command
from tests.examples.clients_test import check
from tests.server.live import ask


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Name a model: kfer-serve --model=DIR"),
        (["--model=/nowhere", "--port=0"], "/nowhere holds no version of a model"),
        (["--model=a", "--runs_dir=b"], "--runs_dir is for the page; add --ui"),
        (
            ["--model=a", "--ui", "--audit_dir=b"],
            "--audit_dir needs --data_dir, the data set that was audited",
        ),
        (["--model=a", "--poll_seconds=0"], "--poll_seconds=0.0 must be above 0"),
    ],
)
def test_wrong_use_is_one_line_and_status_2(arguments, text):
    status, out, err = run_command("serve", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"kfer-serve: error: {text}") and err.count("\n") == 1


def test_a_port_in_use_is_one_line_and_status_2():
    with running.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        status, out, err = run_command("serve", "--model=a", f"--port={port}")
        again = run_command("serve", "--model=a", "--port=0", f"--grpc_port={port}")
    assert again == (status, out, err)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"Can't listen at 127.0.0.1:{port} (Address already in use)" in err


@pytest.mark.slow
def test_it_answers_and_ends_with_what_it_was_asked():
    """SIGTERM while a request of 200 pictures is in progress."""
    command = [sys.executable, "-m", "kfer.bin.serve_main", f"--model={runs.model()}"]
    process = subprocess.Popen(
        [*command, "--port=0", "--grpc_port=0", "--name=faces"],
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = iter(process.stderr.readline, "")
    found = next(m for line in lines if (m := re.search(r"http://\S+", line)))
    url = found.group()
    found = next(m for line in lines if (m := re.search(r"grpc://(\S+)", line)))
    check(grpc_client.predict(found[1], "faces", runs.encoded()))
    rows = [{"images": runs.images()[0].tolist()}] * 200
    body = json.dumps({"signature_name": "predict_images", "instances": rows}).encode()
    answers = []
    asked = threading.Thread(
        target=lambda: answers.append(ask(f"{url}/v1/models/faces:predict", body))
    )
    asked.start()
    while "kfer_held_bytes 0.0" in ask(f"{url}/metrics")[1]:
        assert asked.is_alive()
    process.send_signal(signal.SIGTERM)
    asked.join()
    rest = "".join(lines)
    assert (process.wait(), "Stopped" in rest, "Traceback" in rest) == (0, True, False)
    status, answer = answers[0]
    assert status == 200 and len(answer["predictions"]) == 200

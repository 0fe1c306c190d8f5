"""Load on kfer-serve: requests a second and latency, printed as one JSON line.

  python benchmarks/server_load.py --model=served/faces --clients=1,8,32

Starts the command on a free port and asks it from a process of its own, over
connections that stay open: each client sends a JPEG of `--side` pixels in base64, waits
for the answer and sends the next. Give --url to measure a server that runs already, for
instance TensorFlow Serving.
"""

import base64
import concurrent.futures
import contextlib
import http.client
import io
import json
import os
import platform
import re
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from absl import app, flags
from PIL import Image

FLAGS = flags.FLAGS

REFUSED = 0  # stands for a status, see client

flags.DEFINE_string("model", "", "Published versions, a model or a run.")
flags.DEFINE_string("url", "", "Of a server that runs already.")
flags.DEFINE_string("name", "faces", "Of the model.")
flags.DEFINE_list("clients", ["1", "8", "32"], "At once.")
flags.DEFINE_integer("requests", 400, "For each number of clients.", 1)
flags.DEFINE_integer("side", 64, "Of the pictures, in pixels.", 8)
flags.DEFINE_integer("poison", 0, "Every n-th picture is cut off; 0 for none.", 0)


def pictures(side: int, count: int = 16) -> list[bytes]:
    """JPEGs of smooth noise."""
    found = []
    for seed in range(count):
        small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(small).resize((side, side)).save(buffer, "JPEG", quality=90)
        found.append(buffer.getvalue())
    return found


@contextlib.contextmanager
def server(model: str, name: str) -> Iterator[tuple[str, int]]:
    """kfer-serve on a free port; its URL and its process's number."""
    command = [sys.executable, "-m", "kfer.bin.serve_main", f"--model={model}"]
    process = subprocess.Popen(
        [*command, "--port=0", f"--name={name}"], stderr=subprocess.PIPE, text=True
    )
    try:
        for line in iter(process.stderr.readline, ""):
            if found := re.search(r"http://\S+", line):
                yield found.group(), process.pid
                return
        raise SystemExit("the server did not start")
    finally:
        process.terminate()
        process.communicate()


def client(url: str, name: str, bodies: Sequence[bytes]) -> list[tuple[int, float]]:
    """Status and seconds of each request, one after the other.

    The status of an answer that refuses a row is REFUSED.
    """
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    found = []
    for body in bodies:
        start = time.perf_counter()
        connection.request("POST", f"/v1/models/{name}:predict", body)
        response = connection.getresponse()
        answer = response.read()
        taken = time.perf_counter() - start
        status = REFUSED if refuses(answer) else response.status
        found.append((status, taken))
    connection.close()
    return found


def refuses(answer: bytes) -> bool:
    """Whether a row of an answer says that its picture is none."""
    rows = json.loads(answer).get("predictions", [])
    return any(row.get("status", "OK") != "OK" for row in rows)


def measure(
    url: str, name: str, bodies: Sequence, clients: int, ask: Callable = client
) -> dict:
    """Requests a second and percentiles of latency in milliseconds.

    Args:
      url, name: of the model.
      bodies: of the requests.
      clients: that share them.
      ask: sends one client's share, see `client`.
    """
    shares = [bodies[n::clients] for n in range(clients)]
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        start = time.perf_counter()
        jobs = [pool.submit(ask, url, name, share) for share in shares]
        rows = [row for job in jobs for row in job.result()]
        seconds = time.perf_counter() - start
    good = [1000 * taken for status, taken in rows if status == 200]
    p50, p95 = np.percentile(good, [50, 95])
    return {
        "clients": clients,
        "answered": len(good),
        "refused": len(rows) - len(good),
        "per_second": round(len(good) / seconds, 1),
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
    }


def requests(count: int, side: int, poison: int) -> list[bytes]:
    """The bodies that are sent."""
    made = pictures(side)
    chosen = [made[n % len(made)] for n in range(count)]
    if poison:
        chosen = [
            data[: len(data) // 2] if n % poison == 0 else data
            for n, data in enumerate(chosen)
        ]
    return [
        json.dumps(
            {"instances": [{"image_bytes": {"b64": base64.b64encode(data).decode()}}]}
        ).encode()
        for data in chosen
    ]


def main(argv: Sequence[str]) -> None:
    del argv
    bodies = requests(FLAGS.requests, FLAGS.side, FLAGS.poison)
    with contextlib.ExitStack() as stack:
        url = FLAGS.url or stack.enter_context(server(FLAGS.model, FLAGS.name))[0]
        measure(url, FLAGS.name, bodies[:20], 4)
        rows = [measure(url, FLAGS.name, bodies, int(n)) for n in FLAGS.clients]
    machine = {"cores": os.cpu_count(), "processor": platform.processor()}
    print(json.dumps({"side": FLAGS.side, "machine": machine, "load": rows}))


if __name__ == "__main__":
    app.run(main)

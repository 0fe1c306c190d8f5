"""Load on the same model in Triton, beside server_load.py: one JSON line.

  python -m benchmarks.triton_load --model=served/faces/1 --clients=1,8,32

Needs an environment of its own: pip install nvidia-pytriton==0.7.0
tensorflow-cpu==2.15.1 'numpy<2' absl-py pillow. Triton loads the shared library of the
environment's Python: where the system has none of that version, or another build of
it, LD_LIBRARY_PATH must name the folder of the right one. Triton decodes and answers by
the signature serving_default, batches dynamically up to 64, and gets the pictures as
bytes over connections that stay open, by its binary protocol.
"""

import functools
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request

import numpy as np
from absl import app, flags

from benchmarks import server_load

FLAGS = flags.FLAGS
PORT = 8600

flags.DEFINE_bool("serve", False, "Be the server; the command starts one so.")


def serve(model_dir: str) -> None:
    """Triton in this process, until it is stopped."""
    import tensorflow as tf
    from pytriton import decorators, triton
    from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor

    answer = tf.saved_model.load(model_dir).signatures["serving_default"]

    @decorators.batch
    def infer(image_bytes):
        found = answer(image_bytes=tf.constant(image_bytes[:, 0].tolist()))
        return {"expression": found["expression"].numpy()}

    config = triton.TritonConfig(
        http_port=PORT, grpc_port=PORT + 1, metrics_port=PORT + 2
    )
    batcher = DynamicBatcher(max_queue_delay_microseconds=0)
    with triton.Triton(config=config) as server:
        server.bind(
            model_name="faces",
            infer_func=infer,
            inputs=[Tensor(name="image_bytes", dtype=bytes, shape=(1,))],
            outputs=[Tensor(name="expression", dtype=np.float32, shape=(-1,))],
            config=ModelConfig(max_batch_size=64, batcher=batcher),
        )
        server.serve()


def body(picture: bytes) -> tuple[bytes, int]:
    """A request of the binary protocol, and the length of its JSON head."""
    data = len(picture).to_bytes(4, "little") + picture
    entry = {
        "name": "image_bytes",
        "shape": [1, 1],
        "datatype": "BYTES",
        "parameters": {"binary_data_size": len(data)},
    }
    head = json.dumps({"inputs": [entry]}).encode()
    return head + data, len(head)


def client(url: str, name: str, bodies: list) -> list[tuple[int, float]]:
    """As server_load.client."""
    connection = http.client.HTTPConnection(url)
    found = []
    for content, head in bodies:
        start = time.perf_counter()
        headers = {"Inference-Header-Content-Length": str(head)}
        connection.request("POST", f"/v2/models/{name}/infer", content, headers)
        response = connection.getresponse()
        response.read()
        found.append((response.status, time.perf_counter() - start))
    connection.close()
    return found


def wait(process: subprocess.Popen) -> None:
    """Until the model answers."""
    while process.poll() is None:
        try:
            url = f"http://127.0.0.1:{PORT}/v2/models/faces/ready"
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit("Triton did not start")


def main(argv: list[str]) -> None:
    del argv
    if FLAGS.serve:
        serve(FLAGS.model)
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.triton_load", *sys.argv[1:], "--serve"]
    )
    try:
        wait(process)
        made = server_load.pictures(FLAGS.side)
        bodies = [body(made[n % len(made)]) for n in range(FLAGS.requests)]
        measure = functools.partial(
            server_load.measure, f"127.0.0.1:{PORT}", "faces", ask=client
        )
        measure(bodies[:20], 4)
        measure(bodies, 32)
        rows = [measure(bodies, int(n)) for n in FLAGS.clients]
        print(json.dumps({"side": FLAGS.side, "cores": os.cpu_count(), "load": rows}))
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    app.run(main)

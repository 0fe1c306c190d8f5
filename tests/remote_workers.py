"""Beam workers with a /tmp of their own, as on any cluster.

Beam's portable job service and an EXTERNAL worker pool in a mount namespace: what a
worker writes to its /tmp, the driver never sees.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pytest

POOL = "apache_beam.runners.worker.worker_pool_main"
SERVICE = "apache_beam.runners.portability.local_job_service_main"


def skip_without_namespaces() -> None:
    """Skips the test where this process may not unshare."""
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip(f"needs a mount namespace: {tried.stderr.decode().strip()}")


@contextlib.contextmanager
def shared_folder():
    """A folder that driver and workers both see; skips where there are no such workers."""
    skip_without_namespaces()
    folder = tempfile.mkdtemp(prefix="kfer-", dir="/var/tmp")
    yield folder
    shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _wait_for(port: int, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")


@contextlib.contextmanager
def beam_args():
    """Beam's flags for a job service whose worker sees another /tmp."""
    job, pool = _free_port(), _free_port()
    commands = (
        [sys.executable, "-m", SERVICE, f"--port={job}"],
        [
            *("unshare", "-m", "sh", "-c"),
            'mount -t tmpfs tmpfs /tmp && exec "$@"',
            *("pool", sys.executable, "-m", POOL, f"--service_port={pool}"),
        ],
    )
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # The pool starts its workers as `python`.
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    environment = {**os.environ, "PYTHONPATH": os.getcwd(), "PATH": path}
    running = [subprocess.Popen(c, env=environment, **quiet) for c in commands]
    try:
        for port in (job, pool):
            _wait_for(port)
        yield [
            "--runner=PortableRunner",
            f"--job_endpoint=127.0.0.1:{job}",
            "--environment_type=EXTERNAL",
            f"--environment_config=127.0.0.1:{pool}",
        ]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=30)

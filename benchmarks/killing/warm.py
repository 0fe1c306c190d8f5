"""A process that has imported what commands need and forks one for each.

python -m benchmarks.killing.warm [tfx]

Reads a JSON list a line: words of a command, a file for its stderr. Writes its process
group's number when it has begun and its status when it has ended, a line each. So the
moments of a kill fall into a command's work, not into its imports, which take longer
and leave nothing behind.
"""

import json
import os
import runpy
import select
import signal
import subprocess
import sys
import time
import traceback


def preload(tfx: bool = False) -> None:
    """Imports what takes long; no operation is run, so that forks may run their own."""
    import cv2  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import tensorflow  # noqa: F401

    import kfer.evaluation.report
    import kfer.methods
    import kfer.preprocess.job
    import kfer.serving.export
    import kfer.training.loop  # noqa: F401

    if tfx:
        import pipelines.local_runner  # noqa: F401


def run(words: list[str], errors: str) -> None:
    """Runs `python -m MODULE FLAGS...` in a fork; tells its group and its status."""
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        null = os.open(os.devnull, os.O_RDWR)
        said = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for source, target in ((null, 0), (null, 1), (said, 2)):
            os.dup2(source, target)
        os._exit(_status(words))
    os.setpgid(pid, pid)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def _status(words: list[str]) -> int:
    """What the command ends with."""
    _, _, module, *arguments = words
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        status: object = 0
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else int(status is not None)


class Warm:
    """Runs commands as faults.run does, in forks of one process that has imported."""

    def __init__(self, folder: str, tfx: bool = False):
        self._errors = os.path.join(folder, "stderr")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.killing.warm", *["tfx"] * tfx],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # a line that was read ahead would be waited for in vain
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        )
        assert self._read() == "ready"

    def __call__(
        self, words: list[str], seconds: float = 0.0
    ) -> tuple[int, str, float]:
        """Status, stderr and seconds of a command; killed after `seconds`, if not 0."""
        began = time.monotonic()
        self._process.stdin.write(json.dumps([words, self._errors]).encode() + b"\n")
        group = int(self._read())
        if not select.select([self._process.stdout], [], [], seconds or None)[0]:
            os.killpg(group, signal.SIGKILL)
        status = int(self._read())
        with open(self._errors, encoding="utf-8", errors="replace") as file:
            return status, file.read(), time.monotonic() - began

    def _read(self) -> str:
        return self._process.stdout.readline().decode().strip()


def main() -> None:
    """Serves until its input ends."""
    preload("tfx" in sys.argv[1:])
    print("ready", flush=True)
    for line in sys.stdin:
        run(*json.loads(line))


if __name__ == "__main__":
    main()

"""Kills deliveries to S3's API, and fetches, at random moments; a JSON line for each.

python -m benchmarks.store_kills --seed=0 --moments=20

moto serves the API in this process. Each round replaces a folder of 60 files and a mark
that lists their SHA-256: a child delivers it and is killed at a moment drawn uniformly
over the time that a delivery takes. A reader must then be refused or get one round's
files; the child runs again, and the reader must get those of its round. Then children
that fetch are killed. Ends with status 1 if anything was not as it should be.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

from kfer.errors import UserError
from kfer.storage import fetching, objects, staging
from kfer.storage.order import Order

PLACE, MARK, FILES = "s3://kills/place", "mark.json", 60
ORDER = Order((MARK,))


def main() -> int:
    """Runs all rounds; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--child", choices=("deliver", "fetch"))
    chosen = parser.parse_args()
    if chosen.child:
        return _child(chosen.child, chosen.seed)
    with tempfile.TemporaryDirectory() as folder:
        _serve(folder)
        bad = 0
        for what in ("deliver", "fetch"):
            found = _kill_all(what, chosen.moments, chosen.seed)
            line = {"killed": what, "seed": chosen.seed, "moments": chosen.moments}
            print(json.dumps(line | found), flush=True)
            bad += found.get("wrong", 0)
    return int(bad > 0)


def _serve(folder: str) -> None:
    import fsspec
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_DEFAULT_REGION": "us-east-1",
        fetching.CACHE: folder,
    }
    fsspec.filesystem("s3").mkdir("kills")


def _content(number: int, name: int) -> bytes:
    """A file of a round, 20 to 80 kB."""
    drawn = random.Random(f"{number} {name}")
    return drawn.randbytes(drawn.randrange(20_000, 80_000))


def _digests(number: int) -> dict[str, str]:
    return {
        f"part/{name:02d}": hashlib.sha256(_content(number, name)).hexdigest()
        for name in range(FILES)
    }


def _child(what: str, number: int) -> int:
    place = objects.Place(PLACE)
    place.objects()  # the library has started when the clock does
    if what == "fetch":
        print("begins", flush=True)
        fetching.local_copy(PLACE, (MARK,))
        print("ends", flush=True)
        return 0
    made = staging.Staging(place, ORDER)
    made.start_empty(overwrite=True)
    os.mkdir(os.path.join(made.path, "part"))
    for name in range(FILES):
        with open(os.path.join(made.path, "part", f"{name:02d}"), "wb") as file:
            file.write(_content(number, name))
    with open(os.path.join(made.path, MARK), "w") as file:
        json.dump(_digests(number), file)
    print("begins", flush=True)
    made.deliver()
    print("ends", flush=True)
    made.close()
    return 0


def _run(what: str, number: int, after: float | None = None) -> float:
    """A child to its end, or killed some seconds after it begins; the seconds."""
    command = [sys.executable, "-m", "benchmarks.store_kills", f"--child={what}"]
    with subprocess.Popen(
        [*command, f"--seed={number}"], stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        begun = time.monotonic()
        if after is not None:
            time.sleep(after)
            child.send_signal(signal.SIGKILL)
        child.stdout.readline()
        seconds = time.monotonic() - begun
    if after is None and child.returncode:
        raise RuntimeError(f"{what} ended with status {child.returncode}")
    return seconds


def _read() -> dict[str, str] | None:
    """SHA-256 by file of what a reader gets; None if the place is refused."""
    try:
        folder = fetching.local_copy(PLACE, (MARK,))
    except UserError:
        return None
    found = {}
    for name in sorted(os.listdir(os.path.join(folder, "part"))):
        with open(os.path.join(folder, "part", name), "rb") as file:
            found[f"part/{name}"] = hashlib.file_digest(file, "sha256").hexdigest()
    with open(os.path.join(folder, MARK)) as file:
        return found if json.load(file) == found else {}


def _kill_all(what: str, moments: int, seed: int) -> dict[str, int]:
    drawn = random.Random(f"{what} {seed}")
    _run("deliver", 0)
    _forget()
    seconds = _run(what, 1)
    found: Counter[str] = Counter()
    for number in range(2, moments + 2):
        # What a fetch brings stays what the first delivery brought.
        before = _digests(number - 1 if what == "deliver" else 0)
        _forget()
        _run(what, number, drawn.uniform(0, seconds))
        said = _read()
        state = "refused" if said is None else "old" if said == before else "new"
        found[state] += 1
        if what == "deliver":
            seconds = _run(what, number)
        expected = _digests(number if what == "deliver" else 0)
        found["wrong"] += said not in (None, before, expected) or _read() != expected
        found["same_after"] += _read() == expected
    return dict(found)


def _forget() -> None:
    """Removes all copies, as on another machine."""
    for name in os.listdir(fetching.cache_root()):
        shutil.rmtree(os.path.join(fetching.cache_root(), name))


if __name__ == "__main__":
    sys.exit(main())

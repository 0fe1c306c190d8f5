"""Broken bytes for everything that reads outside bytes; one JSON line a reader.

python -m benchmarks.fuzz --seed=0 --minutes=10 [--targets=pictures,records] [--jobs=2]

Each reader runs in a process of its own, so that a crash is seen, and a process that
stays at one input for more than 10 s of a processor's time is a hang. The minutes are a
processor's too, without the processes' starts, so that a busy machine tries no fewer
inputs. --jobs readers run at once. The last line adds all up. Ends with status 1 if
anything crashed, hung, raised what it may not, or took more than 1 GB.
"""

import argparse
import json
import sys
from collections import Counter
from concurrent import futures

from benchmarks.fuzzing import parent, stored, tables

# Of the time; the others have 1. These read most bytes of strangers.
WEIGHTS = {
    **{"manifest_csv": 8, "pictures": 6, "records": 6, "pickles": 6},
    **{"manifest_jsonl": 4, "raf_list": 4, "affectnet_csv": 4, "ferplus_votes": 3},
    **{"ratings_csv": 2, "ratings_jsonl": 2, "requests": 2},
}
MOST_MB = 1024


def main() -> int:
    """Fuzzes; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [*tables.TARGETS, *stored.TARGETS]
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--count", type=int, default=10**9, help="inputs a reader")
    parser.add_argument("--targets", default=",".join(names))
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args()
    targets = chosen.targets.split(",")
    weight = sum(WEIGHTS.get(name, 1) for name in targets)
    total, bad = Counter(), []

    def one(name: str) -> dict:
        seconds = 60 * chosen.minutes * WEIGHTS.get(name, 1) / weight
        return parent.fuzz(name, chosen.seed, chosen.count, seconds)

    with futures.ThreadPoolExecutor(chosen.jobs) as pool:
        for found in pool.map(one, targets):
            print(json.dumps(found), flush=True)
            total += Counter(found["outcomes"])
            if is_bad(found):
                bad.append(found["target"])
    print(json.dumps({"all": dict(total), "bad": bad}))
    return int(bool(bad))


def is_bad(found: dict) -> bool:
    """Whether a reader did what it may not."""
    died = found["crashes"] or found["hangs"]
    return bool(died or found["faults"] or found["grown_mb"] > MOST_MB)


if __name__ == "__main__":
    sys.exit(main())

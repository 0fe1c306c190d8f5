"""Consensus of crowds, beside crowd-kit on the same labels: one JSON line.

python benchmarks/crowd.py [--table=CSV] [--methods=...]

For each crowd and method: the share of right pictures among those that are labelled,
processor seconds, and how far the process's peak memory rose, in MB. Crowds:
'large', 150,000 labels by 747 people of 50,000 pictures of 10 classes; 'sparse', 2,000
pictures of which each of 200 people labels 2 %; and --table, a CSV with the columns
item, annotator, label and truth. crowd-kit isn't among the project's requirements, as
it brings transformers with it; `uv pip install --no-deps crowd-kit` is enough.
"""

import importlib.util
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from absl import app, flags

from kfer.crowd import confusion, dawid_skene, glad, majority
from kfer.crowd.triples import Triples

FLAGS = flags.FLAGS

flags.DEFINE_string("table", "", "A CSV: item, annotator, label, truth.")
flags.DEFINE_list("methods", [], "Of kfer and crowd-kit; empty: all.")

Crowd = tuple[np.ndarray, Triples]


def large(seed: int = 0) -> Crowd:
    """Three labels a picture by people of even skill .5 to .98."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 10, 50_000)
    item, who = np.repeat(np.arange(50_000), 3), rng.integers(0, 747, 150_000)
    right = rng.random(len(item)) < rng.uniform(0.5, 0.98, 747)[who]
    label = np.where(right, truth[item], rng.integers(0, 10, len(item)))
    return truth, Triples(item, who, label, 50_000, 747, 10)


def sparse(seed: int = 0) -> Crowd:
    """Half of the people good, a third poor, the rest guess."""
    rng = np.random.default_rng(seed)
    prior = np.array([0.3, 0.25, 0.15, 0.1, 0.05, 0.05, 0.1])
    truth = rng.choice(7, 2000, p=prior)
    skill = rng.permutation(np.repeat([0.85, 0.55, 1 / 7], [100, 66, 34]))
    who, item = np.nonzero(rng.random((200, 2000)) < 0.02)
    right = rng.random(len(item)) < skill[who]
    label = np.where(right, truth[item], rng.integers(0, 7, len(item)))
    return truth, Triples(item, who, label, 2000, 200, 7)


def table(path: str) -> Crowd:
    """Of a CSV."""
    import pandas as pd

    rows = pd.read_csv(path)
    item, items = pd.factorize(rows["item"])
    who, people = pd.factorize(rows["annotator"])
    classes = np.unique(rows["truth"])
    label = np.searchsorted(classes, rows["label"])
    truth = np.searchsorted(classes, rows.groupby(item)["truth"].first())
    return truth, Triples(item, who, label, len(items), len(people), len(classes))


def kfer_methods() -> dict[str, Callable[[Triples], np.ndarray]]:
    """Name -> labels to classes [N]."""
    return {
        "kfer majority": majority.drawn,
        "kfer one coin": lambda t: (
            dawid_skene.fit(t, matrices=confusion.one_coin_matrices).classes
        ),
        "kfer Dawid-Skene, free": lambda t: dawid_skene.fit(t).classes,
        "kfer Dawid-Skene, one strength": lambda t: dawid_skene.fit(t, 10.0).classes,
        "kfer Dawid-Skene": lambda t: dawid_skene.consensus(t).classes,
        "kfer GLAD": lambda t: glad.fit(t).classes,
    }


def crowd_kits() -> dict[str, Callable[[Triples], np.ndarray]]:
    """The same of crowd-kit, with its own settings; empty where it isn't installed."""
    if importlib.util.find_spec("crowdkit") is None:
        return {}
    import pandas as pd
    from crowdkit import aggregation

    def by(kind: Any) -> Callable[[Triples], np.ndarray]:
        def classes(triples: Triples) -> np.ndarray:
            parts = (triples.item, triples.annotator, triples.label)
            columns = ("task", "worker", "label")
            rows = pd.DataFrame(dict(zip(columns, parts, strict=True)))
            found = kind().fit_predict(rows)
            return found.reindex(range(triples.num_items)).fillna(-1).to_numpy(int)

        return classes

    return {
        "crowd-kit majority": by(aggregation.MajorityVote),
        "crowd-kit one coin": by(aggregation.OneCoinDawidSkene),
        "crowd-kit Dawid-Skene": by(aggregation.DawidSkene),
        "crowd-kit GLAD": by(aggregation.GLAD),
    }


def methods() -> dict[str, Callable[[Triples], np.ndarray]]:
    """All of them."""
    return kfer_methods() | crowd_kits()


def measure(crowd: tuple[str, str], name: str) -> dict[str, float]:
    """One method on one crowd, in a process of its own."""
    kind, path = crowd
    truth, triples = (
        table(path) if kind == "table" else {"large": large, "sparse": sparse}[kind]()
    )
    method = methods()[name]
    before, started = _peak(), time.process_time()
    classes = method(triples)
    seconds, after = time.process_time() - started, _peak()
    labelled = triples.of_item() > 0
    return {
        "right": round(float(np.mean((classes == truth)[labelled])), 4),
        "seconds": round(seconds, 2),
        "peak_mb": round(after - before, 1),
    }


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(argv: Sequence[str]) -> None:
    """Measures and prints."""
    del argv
    crowds = [("large", ""), ("sparse", "")]
    crowds += [("table", FLAGS.table)] if FLAGS.table else []
    names = FLAGS.methods or list(methods())
    context = multiprocessing.get_context("spawn")
    found: dict[str, Any] = {}
    for crowd in crowds:
        for name in names:
            with context.Pool(1) as pool:
                found.setdefault(crowd[0], {})[name] = pool.apply(
                    measure, (crowd, name)
                )
    print(json.dumps(found))


if __name__ == "__main__":
    app.run(main)

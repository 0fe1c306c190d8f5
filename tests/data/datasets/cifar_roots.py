"""Small CIFAR-10 folders in the official layout."""

import pathlib
import pickle

import numpy as np

from kfer.data.datasets import cifar10n

ROWS = 20


def truth_of(batch: int) -> np.ndarray:
    """Labels of training batch 1.., or of the test batch, 0."""
    return (np.arange(ROWS) + batch) % 10


def planes_of(batch: int) -> np.ndarray:
    """uint8 [ROWS, 3072] of the same."""
    rng = np.random.default_rng(batch)
    return rng.integers(0, 256, (ROWS, 3072), np.uint8)


def write_batch(path: pathlib.Path, batch: int, **changes) -> None:
    content = {
        b"batch_label": b"a batch",
        b"labels": truth_of(batch).tolist(),
        b"data": planes_of(batch),
        b"filenames": [b"x.png"] * ROWS,
    }
    content |= {key.encode(): value for key, value in changes.items()}
    path.write_bytes(pickle.dumps(content, protocol=2))


def make(root: pathlib.Path, batches: int = 5) -> pathlib.Path:
    """cifar-10-batches-py under root, and human labels beside it; returns root."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for batch in range(1, batches + 1):
        write_batch(folder / f"data_batch_{batch}", batch)
    write_batch(folder / "test_batch", 0)
    np.savez(root / cifar10n.ARRAYS, **human_labels(batches))
    return root


def human_labels(batches: int = 5) -> dict[str, np.ndarray]:
    """Person i is wrong by i on every (i + 2)th example."""
    truth = np.concatenate([truth_of(batch) for batch in range(1, batches + 1)])
    arrays = {"clean_label": truth, "aggre_label": truth, "worse_label": 9 - truth}
    for i in (1, 2, 3):
        wrong = np.arange(len(truth)) % (i + 2) == 0
        arrays[f"random_label{i}"] = (truth + i * wrong) % 10
    return {name: values.astype(np.uint8) for name, values in arrays.items()}

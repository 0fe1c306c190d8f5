"""CIFAR-10N: CIFAR-10's training pictures with the labels of three people each.

Beside the CIFAR-10 folder lies cifar10n_human_labels.npz, or the CIFAR-10_human.pt of
https://github.com/UCSC-REAL/cifar-10-100n, from which it is made: integer arrays
[50000] in the order of the training batches. Their clean labels must be the batches'.
"""

import os
import zipfile
from collections.abc import Iterator

import numpy as np

from kfer.data import safe_pickle
from kfer.data.datasets import ReaderOptions, cifar10
from kfer.data.datasets.cifar10 import clean_columns, image_size  # noqa: F401
from kfer.data.record import Column, RawExample
from kfer.errors import UserError

ARRAYS = "cifar10n_human_labels.npz"
OFFICIAL = "CIFAR-10_human.pt"
CLEAN = "clean_label"
COLUMNS = {
    "annotator_1": "random_label1",
    "annotator_2": "random_label2",
    "annotator_3": "random_label3",
    "aggregate": "aggre_label",
    "worst": "worse_label",
}


def columns(options: ReaderOptions) -> dict[str, Column]:
    """The three people, their majority, the official aggregate, the worst of three."""
    del options
    return cifar10.label_columns(3, "aggregate", "worst")


def read(root: str, options: ReaderOptions) -> Iterator[RawExample]:
    """The training pictures with human labels, then the test pictures."""
    from kfer.noise import flips

    limit = options.limit or {}
    path = find_labels(root)
    train = cifar10.read_split(root, "train", options)
    humans = read_labels(path, train.labels)
    labels = {name: humans[array] for name, array in COLUMNS.items()}
    people = np.stack([labels[f"annotator_{i}"] for i in (1, 2, 3)])
    labels["majority"] = flips.majority_vote(people, len(cifar10.CIFAR10_CLASSES))
    test = cifar10.read_split(root, "test", options)
    yield from cifar10.examples("train", train.head(limit.get("train")), labels)
    yield from cifar10.examples("test", test.head(limit.get("test")), {})


def find_labels(root: str) -> str:
    """Path of the human labels in `root` or beside it."""
    for folder in (root, os.path.dirname(os.path.abspath(root))):
        for name in (ARRAYS, OFFICIAL):
            if os.path.isfile(path := os.path.join(folder, name)):
                return path
    raise UserError(
        f"Neither {ARRAYS} nor {OFFICIAL} lies in {root} or beside it; get the labels "
        "from https://github.com/UCSC-REAL/cifar-10-100n"
    )


def read_labels(path: str, truth: np.ndarray) -> dict[str, np.ndarray]:
    """The human labels, checked against the batches.

    Args:
      path: of the npz or pt file.
      truth: the batches' labels in the official order, [N].

    Returns:
      Array name -> int64 [N] in 0..9.

    Raises:
      UserError: an array is missing or is no list of labels, its row count is not that
        of the batches, or the clean labels differ.
    """
    arrays = _read_official(path) if path.endswith(".pt") else _read_arrays(path)
    labels = {}
    for name in (CLEAN, *COLUMNS.values()):
        values = np.asarray(arrays.get(name, ()))
        if name not in arrays or values.dtype.kind not in "iu":
            raise UserError(
                f"{path} has no integer array {name}; found {sorted(map(str, arrays))}"
            )
        if values.shape != truth.shape:
            raise UserError(
                f"{path} has {name} of shape {values.shape}, the training batches have "
                f"{len(truth)} rows; human labels go with all five batches"
            )
        if values.min() < 0 or values.max() > 9:
            raise UserError(f"{path} has labels in {name} outside 0..9")
        labels[name] = values.astype(np.int64)
    if count := int(np.sum(labels[CLEAN] != truth)):
        row = int(np.argmax(labels[CLEAN] != truth))
        raise UserError(
            f"{path} goes with pictures in another order: {count} of {len(truth)} "
            f"clean labels differ from the batches', first at row {row}"
        )
    return labels


def _read_arrays(path: str) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is cut off or no npz file ({error}); get it again"
        ) from error


def _read_official(path: str) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith("/data.pkl"))
            with archive.open(name) as file:
                content = safe_pickle.load_stream(file, path)
    except (zipfile.BadZipFile, StopIteration) as error:
        raise UserError(f"{path} is cut off or no {OFFICIAL}; get it again") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds a {type(content).__name__}, not label arrays")
    return {cifar10.text(key): value for key, value in content.items()}

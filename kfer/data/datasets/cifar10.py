"""CIFAR-10 with simulated label sets of one truth.

The raw folder is the official cifar-10-batches-py (or its parent): data_batch_1..5 and
test_batch, each a pickle of data uint8 [N, 3072] (red, green, blue planes of 32 x 32)
and labels 0..9. Or TFDS's cifar10, downloaded on first use.
"""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from kfer.data import record, safe_pickle
from kfer.data.datasets import ReaderOptions
from kfer.data.record import Column, RawExample
from kfer.errors import UserError
from kfer.tasks import CIFAR10_CLASSES

FOLDER = "cifar-10-batches-py"
SIZE = 32
FLIP_RATES = (0.2, 0.3, 0.4)
TRUTH = "class"

_HELP = "unpack cifar-10-python.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html"


class Rows(NamedTuple):
    """A split in the official order."""

    images: np.ndarray  # uint8 [N, 32, 32, 3] RGB
    labels: np.ndarray  # int64 [N] in 0..9
    sources: list[str]  # file:row

    def head(self, count: int | None) -> "Rows":
        """The first `count` rows, or all."""
        return Rows(*(field[:count] for field in self))


def flip_rates(options: ReaderOptions) -> tuple[float, ...]:
    """The noise rate of each simulated label set."""
    return options.flip_rates or FLIP_RATES


def columns(options: ReaderOptions) -> dict[str, Column]:
    """annotator_1.. and their majority."""
    return label_columns(len(flip_rates(options)))


def clean_columns(options: ReaderOptions) -> dict[str, Column]:
    """The official label."""
    del options
    return {TRUTH: record.categorical(TRUTH, CIFAR10_CLASSES)}


def image_size(options: ReaderOptions) -> int:
    """Side of the pictures in pixels."""
    del options
    return SIZE


def requested_noise(options: ReaderOptions) -> dict[str, float]:
    """Label column -> noise rate asked for."""
    rates = flip_rates(options)
    return {f"annotator_{i}": rate for i, rate in enumerate(rates, 1)}


def label_columns(count: int, *more: str) -> dict[str, Column]:
    """annotator_1..count, majority and `more`, all of CIFAR-10's classes."""
    names = [f"annotator_{i}" for i in range(1, count + 1)] + ["majority", *more]
    return {name: record.categorical(name, CIFAR10_CLASSES) for name in names}


def read(root: str, options: ReaderOptions) -> Iterator[RawExample]:
    """The training pictures with simulated labels, then the test pictures."""
    limit = options.limit or {}
    train = read_split(root, "train", options).head(limit.get("train"))
    test = read_split(root, "test", options).head(limit.get("test"))
    yield from examples("train", train, simulated_labels(train.labels, options))
    yield from examples("test", test, {})


def simulated_labels(
    truth: np.ndarray, options: ReaderOptions
) -> dict[str, np.ndarray]:
    """Column -> int64 [N]: each set flipped from the truth, and their majority."""
    from kfer.noise import flips

    classes, rates = len(CIFAR10_CLASSES), flip_rates(options)
    if options.flip == "inclusive":
        # With seed 100 these are the very labels of the 2021 experiment.
        sets = flips.authors_2021_label_sets(truth, rates, classes, options.seed)
    else:
        rng = np.random.default_rng(options.seed)
        sets = [flips.flip_labels(truth, rate, classes, rng) for rate in rates]
    return {
        **{f"annotator_{i}": labels for i, labels in enumerate(sets, 1)},
        "majority": flips.majority_vote(np.stack(sets), classes),
    }


def examples(
    split: str, rows: Rows, labels: dict[str, np.ndarray]
) -> Iterator[RawExample]:
    """Rows as examples; the id is the split and the position in the official order."""
    for i, (image, truth, source) in enumerate(zip(*rows, strict=True)):
        given = {name: int(values[i]) for name, values in labels.items()}
        clean = {TRUTH: int(truth)}
        yield RawExample(f"{split}-{i:05d}", split, image, given, clean, source)


def read_split(root: str, split: str, options: ReaderOptions) -> Rows:
    """A split in the official order.

    Raises:
      UserError: a batch file is missing, cut off, or holds something else.
    """
    if options.source == "tfds":
        return _read_tfds(root, split)
    folder = find_folder(root)
    files = _train_files(folder) if split == "train" else ["test_batch"]
    parts = [_read_batch(os.path.join(folder, name)) for name in files]
    return Rows(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        [source for part in parts for source in part.sources],
    )


def find_folder(root: str) -> str:
    """The folder with the batch files: `root` or its cifar-10-batches-py."""
    for folder in (os.path.join(root, FOLDER), root):
        names = os.listdir(folder) if os.path.isdir(folder) else []
        if any(name.startswith("data_batch_") for name in names):
            if any(name.endswith(".bin") for name in names):
                raise UserError(
                    f"{folder} is CIFAR-10's binary version; needed is the Python "
                    f"version: {_HELP}"
                )
            return folder
    raise UserError(
        f"{root or 'The source folder (not given)'} is neither {FOLDER} nor its "
        f"parent; {_HELP}"
    )


def _train_files(folder: str) -> list[str]:
    names = [f"data_batch_{i}" for i in range(1, 6)]
    there = [os.path.isfile(os.path.join(folder, name)) for name in names]
    count = sum(there)
    if not all(there[:count]) or not count:
        missing = names[there.index(False)]
        raise UserError(
            f"{folder} lacks {missing} (found {count} of 5 training batches); {_HELP}"
        )
    if count < 5:
        logging.warning("%s has %d of 5 training batches; using these", folder, count)
    return names[:count]


def _read_batch(path: str) -> Rows:
    if not os.path.isfile(path):
        raise UserError(f"{path} is missing; {_HELP}")
    content = safe_pickle.load(path)
    if not isinstance(content, dict):
        raise UserError(
            f"{path} holds a {type(content).__name__}, not a batch; {_HELP}"
        )
    batch = {text(key): value for key, value in content.items()}
    data, labels = _check_data(path, batch), _check_labels(path, batch)
    if len(data) != len(labels):
        raise UserError(
            f"{path} has {len(data)} pictures but {len(labels)} labels; {_HELP}"
        )
    images = data.reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)
    name = os.path.basename(path)
    sources = [f"{name}:{row}" for row in range(len(labels))]
    return Rows(np.ascontiguousarray(images), labels, sources)


def text(key: Any) -> str:
    """A key of a pickle by Python 2 or 3."""
    return key.decode("latin1") if isinstance(key, bytes) else str(key)


def _check_data(path: str, batch: dict[str, Any]) -> np.ndarray:
    data = batch.get("data")
    shape, dtype = getattr(data, "shape", None), getattr(data, "dtype", None)
    if dtype != np.uint8 or len(shape) != 2 or shape[1] != 3 * SIZE * SIZE:
        raise UserError(
            f"{path} has data of shape {shape} and type {dtype}, expected uint8 "
            f"[N, {3 * SIZE * SIZE}]; {_HELP}"
        )
    return data


def _check_labels(path: str, batch: dict[str, Any]) -> np.ndarray:
    values = batch.get("labels")
    whole = isinstance(values, list) and all(type(v) is int for v in values)
    if not whole or not values:
        found = f"{len(values)} entries" if isinstance(values, list) else type(values)
        raise UserError(
            f"{path} has no list of whole-number labels (found {found}); {_HELP}"
        )
    for row, label in enumerate(values):
        if not 0 <= label < len(CIFAR10_CLASSES):
            raise UserError(
                f"{path}, row {row} has label {label}, expected 0..9; {_HELP}"
            )
    return np.asarray(values, np.int64)


def _read_tfds(root: str, split: str) -> Rows:
    # TFDS stores examples in an order of its own; their ids count the official one.
    import tensorflow_datasets as tfds

    source = tfds.load("cifar10", split=split, data_dir=root or None)
    found = {item["id"].decode(): item for item in tfds.as_numpy(source)}
    ids = sorted(found)
    return Rows(
        np.stack([found[image_id]["image"] for image_id in ids]),
        np.asarray([found[image_id]["label"] for image_id in ids], np.int64),
        [f"tfds:{image_id}" for image_id in ids],
    )

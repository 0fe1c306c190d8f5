"""A prepared data set as NumPy arrays (needs TensorFlow)."""

import hashlib
from typing import Any

import numpy as np
import tensorflow as tf

from kfer.data import labels, storage
from kfer.data.dataset import Dataset
from kfer.data.record import CLEAN
from kfer.settings.config import ExperimentConfig

# Pictures as arrays, as they are stored, or in a file of their own (pictures.py).
PIXELS, ENCODED, APART = IMAGES = ("pixels", "encoded", "apart")
SPLITS = ("train", "test")


def of_dataset(
    dataset: Dataset, config: ExperimentConfig, images: str = PIXELS
) -> dict[str, np.ndarray]:
    """Pictures, labels and masks of both splits, in their stored order.

    Args:
      dataset: see kfer.data.dataset.load.
      config: what is learned and scored, at which size.
      images: one of IMAGES.

    Returns:
      For 'train' and 'test' (here S): S/image uint8 [N, size, size, 3] RGB, or
      S/bytes uint8 [total] and S/ends int64 [N], or neither; S/label/NAME int32 [N] or
      float32 [N, D] by task in 'train' and by target in 'test'; S/mask/NAME float32
      [N]; S/order, see `order`.
    """
    learned = labels.training_columns(dataset, config.tasks, "train")
    features = storage.read_all(dataset, "train", learned)
    clip = config.recipe.clip_continuous
    values, masks = labels.training_labels(features, config.tasks, learned, clip)
    found = _split("train", features, values, masks, config, images)
    targets = labels.target_columns(dataset, config.tasks, "test")
    columns = {CLEAN + name: column for name, column in targets.items()}
    features = storage.read_all(dataset, "test", columns)
    pairs = {
        name: labels.value_and_mask(features[CLEAN + name], column)
        for name, column in targets.items()
    }
    values, masks = ({n: pair[i] for n, pair in pairs.items()} for i in (0, 1))
    found |= _split("test", features, values, masks, config, images)
    return found | {f"{split}/order": order(dataset, split) for split in SPLITS}


def order(dataset: Dataset, split: str) -> np.ndarray:
    """A digest of the split's picture ids in their stored order, as a scalar string."""
    spec = {"image_id": tf.io.FixedLenFeature([], tf.string)}
    digest = hashlib.sha256()
    for batch in tf.data.TFRecordDataset(dataset.files(split)).batch(4096):
        for name in tf.io.parse_example(batch, spec)["image_id"].numpy():
            digest.update(name + b"\n")
    return np.array(digest.hexdigest())


def _split(
    split: str,
    features: dict[str, tf.Tensor],
    values: dict[str, tf.Tensor],
    masks: dict[str, tf.Tensor],
    config: ExperimentConfig,
    images: str,
) -> dict[str, np.ndarray]:
    stored = features["image/encoded"].numpy()
    found: dict[str, Any] = {}
    if images == ENCODED:
        found["bytes"] = np.frombuffer(b"".join(stored), np.uint8)
        found["ends"] = np.cumsum([len(data) for data in stored])
    elif images == PIXELS:
        found["image"] = np.stack([_pixels(data, config.image_size) for data in stored])
    found |= {f"label/{name}": value.numpy() for name, value in values.items()}
    found |= {f"mask/{name}": mask.numpy() for name, mask in masks.items()}
    return {f"{split}/{name}": array for name, array in found.items()}


def _pixels(data: bytes, size: int) -> np.ndarray:
    picture = tf.io.decode_jpeg(data, channels=3)  # PNG too
    if picture.shape[:2] != (size, size):
        picture = tf.image.resize(picture, [size, size], antialias=True)
        picture = tf.cast(tf.round(tf.clip_by_value(picture, 0, 255)), tf.uint8)
    return picture.numpy()

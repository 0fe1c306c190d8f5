"""Small prepared data sets for tests."""

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from kfer import tasks
from kfer.data import dataset as dataset_lib
from kfer.data import record
from kfer.data.record import Record
from kfer.settings import config

CLASSES = tasks.CIFAR10_CLASSES
COLUMNS = {
    "annotator_1": record.categorical("annotator_1", CLASSES),
    "annotator_2": record.categorical("annotator_2", CLASSES),
    "valence_arousal": record.valence_arousal(),
}
CLEAN = {"class": record.categorical("class", CLASSES)}


def png(index: int, size: int = 32) -> bytes:
    """A noise picture that is a function of its index."""
    pixels = np.random.default_rng(index).integers(0, 256, (size, size, 3), np.uint8)
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


def pixels_of(image: bytes) -> np.ndarray:
    """uint8 [H, W, 3] RGB."""
    return cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def make_record(index: int, split: str = "train", size: int = 32) -> Record:
    """Example `index`: its class is index % 10, annotator_1 always right, annotator_2
    wrong on every fourth and missing on every fifth, valence index / 64."""
    truth = index % 10
    labels = {}
    if split == "train":
        labels = {
            "annotator_1": truth,
            "annotator_2": (truth + (index % 4 == 0)) % 10,
            "valence_arousal": (index / 64, -0.5),
        }
        if index % 5 == 0:
            del labels["annotator_2"]
    return Record(f"{split}-{index}", png(index, size), labels, {"class": truth})


def write(path, num_train: int = 20, num_test: int = 6, size: int = 32, **fields):
    """A data set of make_record's records at `path`."""
    fields = {"image_size": size, "records_per_shard": 8, **fields}
    splits = {
        "train": [make_record(i, "train", size) for i in range(num_train)],
        "test": [make_record(i, "test", size) for i in range(num_test)],
    }
    return dataset_lib.write(str(path), "small", splits, COLUMNS, CLEAN, **fields)


def small_config(**fields) -> config.ExperimentConfig:
    """A run on that data set: three tasks, batches of 4."""
    label_tasks = (
        *tasks.annotator_tasks(2, CLASSES, "class"),
        tasks.valence_arousal_task(),
    )
    settings = {"tasks": label_tasks, "batch_size": 4, "width": 0.25, **fields}
    return config.experiment_config("cifar10_multi", **settings)


def three_targets(path: str, mood: Sequence[int]):
    """A class with its truth in test, a mood with labels in valid, a tone with none.

    Args:
      path: of the data set.
      mood: the label of each of the eight examples of valid and train.

    Returns:
      The data set and a config that learns all three.
    """
    found = small_config()
    (first, *_) = found.tasks
    others = [
        dataclasses.replace(first, name=name, column=name, target=name)
        for name in ("mood", "tone")
    ]
    named = {task.name: record.categorical(task.name, CLASSES) for task in others}

    def rows(split):
        for i, felt in enumerate(mood):
            made = make_record(i, split)
            more = {} if split == "test" else {"mood": felt}
            more |= {"tone": 1} if split == "train" else {}
            yield made._replace(image_id=f"{split}{i}", labels=made.labels | more)

    data = dataset_lib.write(
        path,
        "small",
        {split: list(rows(split)) for split in ("train", "valid", "test")},
        COLUMNS | named,
        CLEAN,
        image_size=32,
    )
    return data, dataclasses.replace(found, tasks=(first, *others))

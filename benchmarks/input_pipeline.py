"""Images per second of the training input pipeline, printed as one JSON line a format.

  python benchmarks/input_pipeline.py --image_size=64 --batch_size=128

Draws smooth random pictures from a seed, writes them as a data set, and reads training
batches with the full face augmentation and the noise of the paper's networks.
"""

import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from absl import app, flags

from kfer import tasks
from kfer.bin import common
from kfer.data import dataset as dataset_lib
from kfer.data import record
from kfer.data.dataset import Dataset
from kfer.data.record import Record
from kfer.settings import config

FLAGS = flags.FLAGS

flags.DEFINE_integer("image_size", 64, "Side in pixels, one of config.IMAGE_SIZES.")
flags.DEFINE_integer("batch_size", 128, "Global batch.")
flags.DEFINE_integer("num_images", 2048, "Pictures in the data set.")
flags.DEFINE_integer("num_batches", 200, "Batches that are timed, in three parts.")
flags.DEFINE_integer("seed", 0, "Of the pictures and of the run.")
flags.DEFINE_list("formats", ["jpg", "png"], "Picture formats to measure.")
flags.DEFINE_enum("augmentation", "face", ["face", "crop_flip", "none"], "What to do.")
flags.DEFINE_bool(
    "stream", False, "Read shards anew instead of holding them in memory."
)

COLUMN = record.categorical("expression", tasks.EXPRESSIONS[:7])
VALUES = record.valence_arousal()


def draw(rng: np.random.Generator, size: int) -> np.ndarray:
    """A smooth uint8 [size, size, 3] picture with some grain, like a small photo."""
    coarse = rng.integers(0, 256, (8, 8, 3), np.uint8)
    smooth = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0.0, 4.0, smooth.shape)
    return np.clip(smooth + grain, 0, 255).astype(np.uint8)


def records(extension: str) -> Iterator[Record]:
    """Labelled pictures in one format."""
    rng = np.random.default_rng(FLAGS.seed)
    for index in range(FLAGS.num_images):
        picture = draw(rng, FLAGS.image_size)
        encoded = cv2.imencode(f".{extension}", picture)[1].tobytes()
        pair = tuple(rng.uniform(-1.0, 1.0, 2).tolist())
        labels = {"expression": index % 7, "valence_arousal": pair}
        yield Record(str(index), encoded, labels, {})


def write(folder: str, extension: str) -> Dataset:
    """The pictures as a prepared data set."""
    return dataset_lib.write(
        os.path.join(folder, extension),
        "benchmark",
        {"train": records(extension)},
        {"expression": COLUMN, "valence_arousal": VALUES},
        {},
        image_size=FLAGS.image_size,
        image_format={"jpg": "jpeg"}.get(extension, extension),
    )


def measure(dataset: Dataset) -> dict[str, float]:
    """Speed of the best third of the run, and processor time per image over all."""
    from kfer.data import input_pipeline

    run = config.experiment_config(
        "raf_multi",
        image_size=FLAGS.image_size,
        batch_size=FLAGS.batch_size,
        augmentation=FLAGS.augmentation,
        seed=FLAGS.seed,
    )
    budget = {"memory_budget": 0} if FLAGS.stream else {}
    batches = iter(input_pipeline.train_dataset(dataset, run, **budget))
    part = max(1, FLAGS.num_batches // 3)
    for _ in itertools.islice(batches, part):  # until autotuning has settled
        pass
    seconds, processor = [], time.process_time()
    for _ in range(3):
        start = time.perf_counter()
        for _ in itertools.islice(batches, part):
            pass
        seconds.append(time.perf_counter() - start)
    count = part * FLAGS.batch_size
    used = time.process_time() - processor
    return {
        "images_per_second": round(count / min(seconds)),
        "images_per_second_of_parts": [round(count / taken) for taken in seconds],
        "processor_microseconds_per_image": round(1e6 * used / (3 * count)),
    }


def main(argv: Sequence[str]) -> None:
    del argv
    common.import_tensorflow()
    import tensorflow as tf

    for extension in FLAGS.formats:
        with tempfile.TemporaryDirectory() as folder:
            dataset = write(folder, extension)
            result = {
                **measure(dataset),
                "format": dataset.image_format,
                "image_size": FLAGS.image_size,
                "batch": FLAGS.batch_size,
                "augmentation": FLAGS.augmentation,
                "held_in_memory": not FLAGS.stream,
                "command": common.command_line(),
                "machine": f"{os.cpu_count()} x {platform.machine()}",
                "load_average": os.getloadavg()[0],
                "tensorflow": tf.__version__,
            }
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    common.quiet()
    app.run(main)

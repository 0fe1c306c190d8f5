"""Images/s of aligning 400 px JPEGs to 256 px: kfer against a plain OpenCV loop.

  python benchmarks/alignment.py [--images=200] [--rounds=7] [--processes=N]

The plain loop is what the 2021 script does: cv2.imread, getRotationMatrix2D, a bicubic
warpAffine, imwrite as JPEG of quality 95, in one process with OpenCV's own threads as
they come. It is timed with a bilinear warp too, since kfer takes that where a face
shrinks, as these do (112 px between the eyes become 102), and bicubic where it grows.

kfer checks each header and path besides, and works in one process for each core. Rounds
alternate, so that all see the same machine; the middle round of each counts.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from absl import app, flags

from kfer.data.fake_roots import faces
from kfer.data.record import RawExample
from kfer.images import alignment, decode
from kfer.preprocess import parallel
from kfer.preprocess.transforms import Prepared, Settings

FLAGS = flags.FLAGS

flags.DEFINE_integer("images", 200, "How many pictures.")
flags.DEFINE_integer("rounds", 7, "How often each loop runs.")
flags.DEFINE_integer("processes", 0, "Of kfer; 0: one for each core.")
flags.DEFINE_float("required", 1.5, "Exit with 1 if kfer is not so many times faster.")

SIDE, SIZE = 400, 256


def make(folder: str, count: int) -> list[RawExample]:
    """Draws noisy photographs of faces with known eyes."""
    rng = np.random.default_rng(0)
    examples = []
    for index in range(count):
        image, eyes, box = faces.face(rng, SIDE, SIDE)
        grain = cv2.GaussianBlur(rng.normal(0, 40, image.shape), (0, 0), 1.5)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
        name = f"{index:05d}.jpg"
        with open(os.path.join(folder, name), "wb") as file:
            file.write(decode.encode(image, "jpeg", 90))
        examples.append(RawExample(name, "train", name, {}, {}, "", eyes, box))
    return examples


def plain(folder: str, examples: Sequence[RawExample], interpolation: int) -> None:
    """The loop that one would write, and the 2021 script did."""
    for example in examples:
        image = cv2.imread(os.path.join(folder, example.image))
        crop = cv2.warpAffine(
            image,
            alignment.authors_2021(example.eyes),
            (SIZE, SIZE),
            flags=interpolation,
        )
        path = os.path.join(folder, "out.jpg")
        cv2.imwrite(path, crop, [cv2.IMWRITE_JPEG_QUALITY, 95])


def rate(loop: Callable[[], object], count: int) -> float:
    """Images a second."""
    started = time.perf_counter()
    loop()
    return count / (time.perf_counter() - started)


def main(argv: Sequence[str]) -> int:
    """Prints both rates and their ratio."""
    del argv
    processes = FLAGS.processes or len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, parallel.processes(processes):
        examples = make(folder, FLAGS.images)
        settings = Settings(folder, image_size=SIZE)
        found = parallel.prepare_all(examples, settings)
        assert all(isinstance(item, Prepared) for item in found)
        loops = {
            "plain OpenCV loop, bicubic": lambda: plain(
                folder, examples, cv2.INTER_CUBIC
            ),
            "plain OpenCV loop, bilinear": lambda: plain(
                folder, examples, cv2.INTER_LINEAR
            ),
            f"kfer, {processes} processes": lambda: parallel.prepare_all(
                examples, settings
            ),
        }
        rates: dict[str, list[float]] = {name: [] for name in loops}
        for _ in range(FLAGS.rounds):
            for name, loop in loops.items():
                rates[name].append(rate(loop, len(examples)))
    middle = {name: float(np.median(values)) for name, values in rates.items()}
    size = np.mean([len(item.record.image) for item in found])
    print(f"pictures: {SIDE} px JPEG -> {SIZE} px JPEG of {size / 1000:.0f} kB")
    for name, value in middle.items():
        print(f"{name}: {value:.0f} images/s")
    bicubic, bilinear, ours = middle.values()
    print(f"ratio to the bicubic loop: {ours / bicubic:.2f}, {FLAGS.required} required")
    print(f"ratio to the bilinear loop: {ours / bilinear:.2f}")
    return int(ours < FLAGS.required * bicubic)


if __name__ == "__main__":
    app.run(lambda argv: sys.exit(main(argv)))

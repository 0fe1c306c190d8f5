"""A small data set with a crowd column of classes and one of values."""

from kfer.data import dataset as dataset_lib
from kfer.data import record as record_lib
from kfer.data.record import Column, Record
from kfer.images import decode
from kfer.tasks import CATEGORICAL, CONTINUOUS

CLASSES = ("bored", "engaged", "gone")
PEOPLE = ("ann", "bob", "José", "dee", "eve")
MOOD = Column("mood", CATEGORICAL, CLASSES, annotators=PEOPLE, target="truth")
POINT = Column(
    "point", CONTINUOUS, dimensions=("x", "y"), low=0.0, high=9.0, annotators=PEOPLE
)
COLUMNS = {"mood": MOOD, "point": POINT}
CLEAN = {"truth": record_lib.categorical("truth", CLASSES)}

# Of four pictures: a majority, a tie, one label, none.
MOODS = (((0, 1), (2, 1), (4, 0)), ((1, 2), (3, 0)), ((3, 2),), ())
POINTS = (((0, (1.0, 2.0)), (1, (3.0, 4.0))), (), (), ((4, (9.0, 0.0)),))
TRUTHS = (1, 0, 2, 2)


def records(size=8):
    """The four pictures."""
    import numpy as np

    rng = np.random.default_rng(0)
    for i, (mood, point, truth) in enumerate(zip(MOODS, POINTS, TRUTHS, strict=True)):
        picture = decode.encode(rng.integers(0, 256, (size, size, 3), np.uint8), "png")
        labels = {k: v for k, v in (("mood", mood), ("point", point)) if v}
        yield Record(f"p{i}", picture, labels, {"truth": truth})


def write(out_dir, size=8):
    """Writes them as the split 'train'."""
    return dataset_lib.write(
        str(out_dir),
        "crowded",
        {"train": records(size)},
        COLUMNS,
        CLEAN,
        image_size=size,
    )

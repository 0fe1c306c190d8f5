"""Two domains of drawn faces that take the places of RAF-DB and AffectNet.

They differ in pose, in the pictures' quality and in how frequent each class is
(docs/design/synthetic_faces.md). Their people tell classes rightly and judge valence
and arousal as one of three does.
"""

import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from kfer.data import dataset as dataset_lib
from kfer.data import datasets, record
from kfer.data import drawn_faces as faces
from kfer.data.dataset import Dataset
from kfer.data.drawn_faces import annotators
from kfer.data.drawn_faces.expression import CLASSES
from kfer.data.record import RawExample, Record, Rejected
from kfer.errors import UserError

SIDE = 32
SPLITS = ("train", "test")

# The faces of a domain and split have numbers of their own, as many as this.
LARGEST = 1_000_000
_ANNOTATION = 1  # a face's second random stream


@dataclasses.dataclass(frozen=True)
class Domain:
    """A population of faces and who photographed it.

    Attributes:
      name: of the data set it stands for.
      style: how its faces vary.
      counts: split -> how many faces of each class the real one has, in kfer's order.
        A drawn face's class is drawn in proportion to their square roots: in their own
        shares, 4,000 faces would hold 50 of the rarest class.
      first: number of its first face.
    """

    name: str
    style: faces.FaceStyle
    counts: dict[str, tuple[int, ...]]
    first: int


# Less posed than SOFT: turned, off centre, worse lit, blurred, hidden more often.
WILD = faces.FaceStyle(
    name="wild",
    saturation=0.8,
    scale=(0.38, 0.49),
    offset=0.035,
    roll=15.0,
    yaw=24.0,
    pitch=13.0,
    backgrounds=("plain", "gradient", "blobs", "stripes", "dots"),
    light=0.32,
    exposure=0.2,
    tint=0.10,
    blur=0.020,
    noise=10.0,
    occlusion_rate=0.12,
    glasses_rate=0.22,
    beard_rate=0.18,
    hat_rate=0.15,
)

RAF = Domain(
    "raf",
    faces.SOFT,
    {
        "train": (2524, 4772, 1982, 1290, 281, 717, 705),
        "test": (680, 1185, 478, 329, 74, 160, 162),
    },
    first=0,
)
AFFECTNET = Domain(
    "affectnet",
    WILD,
    {
        "train": (74874, 134415, 25459, 14090, 6378, 3803, 24882),
        "test": (500, 500, 500, 500, 500, 500, 500),
    },
    first=2 * LARGEST,
)


def is_made(folder: str, name: str, options: dict[str, Any]) -> bool:
    """Whether the data set is there; UserError if another is."""
    if not os.path.exists(os.path.join(folder, dataset_lib.MANIFEST)):
        return False
    found = dataset_lib.load(folder)
    if (found.name, found.options) != (name, options):
        raise UserError(
            f"{folder} holds {found.name} made with {found.options}, asked for is "
            f"{name} with {options}; remove it or name another folder"
        )
    return True


def draw(domain: Domain, folder: str, limit: dict[str, int], seed: int) -> Dataset:
    """The prepared data set of a domain, made on the first call.

    Args:
      domain: whose faces.
      folder: the prepared data set.
      limit: split -> number of faces.
      seed: of all that is drawn.

    Raises:
      UserError: the folder holds something else.
    """
    options = {"limit": limit, "seed": seed}
    if is_made(folder, domain.name, options):
        return dataset_lib.load(folder)

    def items() -> Iterator[tuple[str, Record] | Rejected]:
        for split in SPLITS:
            for index in range(limit[split]):
                face = datasets.to_record(example(domain, split, index, seed))
                yield face if isinstance(face, Rejected) else (split, face)

    columns = {
        "expression": record.categorical("expression", CLASSES),
        "valence_arousal": record.valence_arousal(),
    }
    return dataset_lib.write_items(
        folder,
        domain.name,
        items(),
        columns,
        columns,
        splits=SPLITS,
        total=sum(limit.values()),
        image_size=SIDE,
        options=options,
    )


def example(domain: Domain, split: str, index: int, seed: int) -> RawExample:
    """Face `index` of a split: a function of its arguments alone.

    Returns:
      It has the truth and, in train, the people's labels.
    """
    number = domain.first + LARGEST * SPLITS.index(split) + index
    rng = faces.face_rng(seed, number)
    shares = np.sqrt(domain.counts[split])
    shares /= shares.sum()
    params = faces.sample_face(
        rng, domain.style, int(rng.choice(len(CLASSES), p=shares))
    )
    truth = faces.valence_arousal(params)
    labels: dict[str, Any] = {}
    if split == "train":
        judge = np.random.default_rng([seed, number, _ANNOTATION])
        labels = {
            "expression": params.label,
            "valence_arousal": annotators.judged(truth, judge),
        }
    return RawExample(
        image_id=f"{domain.name}-{split}-{index:05d}",
        split=split,
        image=faces.draw(params, SIDE),
        labels=labels,
        clean={"expression": params.label, "valence_arousal": truth},
        source=f"drawn_faces:{domain.name}:seed={seed}:face={number}",
        eyes=faces.eyes(params, SIDE),
        box=faces.box(params, SIDE),
    )

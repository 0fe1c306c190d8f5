"""Pictures of one split that look like one of another: mirrored, brighter, rescaled.

Each picture becomes a difference hash, dHash (N. Krawetz, "Kind of like that", 2013):
on a grey picture of 17 x 16 pixels, whether each pixel is brighter than its left
neighbour, 256 bits. It is compared with those of earlier splits and of their mirror
images by the number of bits that differ.
"""

import dataclasses
import json
import os
from collections.abc import Iterator

import cv2
import numpy as np

from kfer.data import reasons, rewrite
from kfer.data.dataset import Dataset
from kfer.data.record import Record, Rejected
from kfer.storage import whole

FILE = "near_copies.jsonl"
SIDE = 16
# Of 256 bits. On drawn faces of 64 px, 400 different ones differ in 44 and more; of
# copies, re-encoded, rescaled or made 10 % brighter, 99 % differ in at most this many.
DISTANCE = 20
# Pictures from which on a search takes longer than their preparation.
MANY = 100_000
# An earlier split keeps a picture that stands in several, unless notes say otherwise.
ORDER = ("train", "valid", "test")
KEPT_BY = "copies_kept_by"
_CHUNK = 4096


@dataclasses.dataclass(frozen=True)
class NearCopy:
    """Two pictures that look alike.

    Attributes:
      split, image_id: of the later split.
      of_split, of: the picture in the earlier one.
      distance: bits that differ.
      contrary: whether a label that both have differs.
    """

    split: str
    image_id: str
    of_split: str
    of: str
    distance: int
    contrary: bool


def order(last_first: bool) -> tuple[str, ...]:
    """The splits, the one first that keeps a picture which stands in several."""
    return ORDER[::-1] if last_first else ORDER


def look(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The dHash of a picture and that of its mirror image.

    Args:
      picture: uint8 [H, W, 3].

    Returns:
      bool [256] each.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA)
    small = small.astype(np.int16)
    step = small[:, 1:] - small[:, :-1]
    return (step > 0).ravel(), (step < 0)[:, ::-1].ravel()


def find(dataset: Dataset) -> list[NearCopy]:
    """The nearest picture of an earlier split, for each that has one within DISTANCE.

    Args:
      dataset: prepared; every picture of it is read.
    """
    splits = order(dataset.notes.get(KEPT_BY) == [*ORDER[::-1]])
    filled = [s for s in splits if s in dataset.splits and dataset.splits[s].shards]
    if len(filled) < 2:
        return []
    looks = {split: _Looks(dataset, split) for split in filled}
    found = []
    for index, split in enumerate(filled):
        for earlier in filled[:index]:
            found += _between(split, looks[split], earlier, looks[earlier])
    seen: dict[str, NearCopy] = {}
    for copy in found:
        first = seen.setdefault(copy.image_id, copy)
        if copy.distance < first.distance:
            seen[copy.image_id] = copy
    return list(seen.values())


class _Looks:
    """The looks of a split's pictures, as +1 and -1."""

    def __init__(self, dataset: Dataset, split: str):
        self.ids: list[str] = []
        self.labels: list[dict] = []
        plain, mirrored = [], []
        for record in rewrite.records(dataset, split):
            self.ids.append(record.image_id)
            self.labels.append(_classes(record))
            one, other = look(_pixels(record.image))
            plain.append(np.packbits(one))
            mirrored.append(np.packbits(other))
        self.plain = np.array(plain, np.uint8)
        self.mirrored = np.array(mirrored, np.uint8)

    @staticmethod
    def signs(packed: np.ndarray) -> np.ndarray:
        """float32 [n, 256] of +1 and -1."""
        return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


def _classes(record: Record) -> dict:
    return {**record.clean, **record.labels}


def _pixels(image: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB)


def _between(
    split: str, later: _Looks, earlier_split: str, earlier: _Looks
) -> Iterator[NearCopy]:
    """Bits that differ are (256 - a . b) / 2 for vectors a, b of +1 and -1."""
    bits = SIDE * SIDE
    for begin in range(0, len(later.ids), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        nearest = np.full(len(later.ids[part]), bits)
        which = np.zeros(len(nearest), np.int64)
        for packed in (later.plain[part], later.mirrored[part]):
            signs = _Looks.signs(packed)
            # A picture of one shade looks like every other one.
            flat = np.abs(signs.sum(axis=1)) == bits
            for start in range(0, len(earlier.ids), _CHUNK):
                others = _Looks.signs(earlier.plain[start : start + _CHUNK])
                differ = (bits - signs @ others.T) / 2
                best = differ.argmin(axis=1)
                least = np.where(flat, bits, differ[np.arange(len(best)), best])
                which = np.where(least < nearest, start + best, which)
                nearest = np.minimum(nearest, least)
        for row in np.flatnonzero(nearest <= DISTANCE):
            mine, other = later.labels[begin + row], earlier.labels[which[row]]
            contrary = any(mine[k] != other[k] for k in mine.keys() & other.keys())
            yield NearCopy(
                split,
                later.ids[begin + row],
                earlier_split,
                earlier.ids[which[row]],
                int(nearest[row]),
                contrary,
            )


def describe(found: list[NearCopy]) -> str:
    """One line to print; '' where there are none."""
    if not found:
        return ""
    contrary = sum(copy.contrary for copy in found)
    shown = "; ".join(
        f"{c.split} {c.image_id} and {c.of_split} {c.of}" for c in found[:3]
    )
    return (
        f"{len(found)} pictures look like one of another split, {contrary} of them "
        f"with other labels ({shown}): likely leaks, listed in {FILE}"
    )


def report(
    dataset: Dataset, remove: bool, splits: tuple[str, ...] = ORDER
) -> tuple[Dataset, list[NearCopy]]:
    """Looks for near copies and lists them in the folder, or sets them aside.

    Args:
      dataset: prepared.
      remove: replace the data set by one without the later pictures.
      splits: of the later pictures.
    """
    found = [copy for copy in find(dataset) if copy.split in splits]
    if not found:
        return dataset, found
    if remove:
        dataset = _without(dataset, found)
    write(dataset, found)
    return dataset, found


def _without(dataset: Dataset, found: list[NearCopy]) -> Dataset:
    copies = {copy.image_id: copy for copy in found}

    def split_of(split: str, image_id: str) -> str | Rejected:
        copy = copies.get(image_id)
        if copy is None:
            return split
        reason = reasons.near_copy(copy.split, copy.of_split)
        return Rejected(image_id, reason, f"looks like {copy.of}", "")

    notes = {"near_copies_removed": len(found)}
    root, command = dataset.root, dataset.command
    return rewrite.with_splits(dataset, split_of, root, notes, command, overwrite=True)


def write(dataset: Dataset, found: list[NearCopy]) -> None:
    """Lists them in the data set's folder, one JSON object a line."""
    path = os.path.join(dataset.root, FILE)
    rows = [json.dumps(dataclasses.asdict(copy), ensure_ascii=False) for copy in found]
    whole.write_lines(path, rows)

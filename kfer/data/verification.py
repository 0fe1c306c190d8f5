"""Whether a data set is still what was written."""

import collections
import os

from kfer.data import broken, manifest, shard_files
from kfer.data import record as record_lib
from kfer.data import shards as shards_lib
from kfer.data.dataset import Dataset, SplitInfo
from kfer.data.folder import MANIFEST
from kfer.data.shards import ShardInfo, Tally
from kfer.errors import UserError


def problems(dataset: Dataset) -> list[str]:
    """Reads every record and lists all that doesn't agree with dataset.json."""
    found: list[str] = []
    ids: collections.Counter[str] = collections.Counter()
    for split, info in dataset.splits.items():
        tally = Tally()
        for shard in info.shards:
            try:
                _read_back(dataset, shard, tally, ids)
            except UserError as error:
                found.append(f"{split}: {error}")
        found += _compare(split, info, tally) if not found else []
    if repeated := [image_id for image_id, count in ids.items() if count > 1]:
        found.append(f"{len(repeated)} image ids are used twice: {repeated[:10]}")
    shards = {split: info.shards for split, info in dataset.splits.items()}
    expected = manifest.content_hash(shards, dataset.columns, dataset.clean_columns)
    if expected != dataset.content_hash:
        found.append(f"{MANIFEST} itself was changed: its content hash doesn't fit")
    return found


def _read_back(
    dataset: Dataset, shard: ShardInfo, tally: Tally, ids: collections.Counter[str]
) -> None:
    path = os.path.join(dataset.root, shard.file)
    if shard_files.sha256(path) != shard.sha256:
        raise UserError(f"{path} has another SHA-256 than {MANIFEST} says")
    count = 0
    for serialized in shards_lib.read_shard(path):
        record = record_lib.decode(serialized)
        if problem := broken.picture_problem(dataset, record.image):
            raise UserError(f"{path}, record {record.image_id}: {problem}")
        tally.add(record, dataset.columns, dataset.clean_columns)
        ids[record.image_id] += 1
        count += 1
    if count != shard.num_records:
        raise UserError(
            f"{path} has {count} records, {MANIFEST} says {shard.num_records}"
        )


def _compare(split: str, info: SplitInfo, tally: Tally) -> list[str]:
    counts = {key: tuple(values) for key, values in tally.counts.items()}
    found = []
    if counts != info.class_counts or tally.given != info.given:
        found.append(f"{split}: the class counts are not those of {MANIFEST}")
    if sum(shard.num_records for shard in info.shards) != info.num_records:
        found.append(f"{split}: the shards' counts don't add up to {info.num_records}")
    return found


def verify(dataset: Dataset) -> None:
    """Checks CRCs, SHA-256, pictures, labels, counts and ids by reading everything.

    Raises:
      UserError: names the first problem and how many there are.
    """
    if found := problems(dataset):
        count = f"{len(found)} problems, first: " if len(found) > 1 else ""
        raise UserError(f"{dataset.root} is damaged: {count}{found[0]}")

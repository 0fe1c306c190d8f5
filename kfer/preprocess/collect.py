"""What the Beam workers wrote, read back by the job."""

import glob
import json
import os
from collections import Counter
from typing import Any

from kfer.data.record import Rejected
from kfer.data.shards import ShardInfo, Tally, shard_name
from kfer.storage import whole


def rejected(work: str) -> list[Rejected]:
    """The rows set aside, in the order of their files and lines."""
    path = os.path.join(work, "rejected")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        rows = [Rejected(*json.loads(line)) for line in file]
    return sorted(rows, key=_by_line)


def _by_line(row: Rejected) -> tuple:
    name, _, line = row.source.rpartition(":")
    return (name, int(line) if line.isdecimal() else 0, row)


def shards(
    folder: str, work: str, splits: list[str]
) -> tuple[dict[str, list[ShardInfo]], dict[str, Tally], Counter]:
    """Moves the shards from `work` into `folder`, named and numbered anew.

    Returns:
      split -> its shards, split -> its tally, and how often each alignment was used.
    """
    found: dict[str, list[dict[str, Any]]] = {split: [] for split in splits}
    for path in sorted(glob.glob(os.path.join(glob.escape(work), "*-*.json"))):
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        if description["info"]["num_records"]:
            found[description["split"]].append(description)
    infos, tallies, alignment = {}, {}, Counter()
    for split, descriptions in found.items():
        infos[split], tallies[split] = [], Tally()
        for index, description in enumerate(descriptions):
            name = shard_name(split, index, len(descriptions))
            source = os.path.join(work, f"{split}-{description['index']:05d}")
            os.rename(source, os.path.join(folder, name))
            whole.sync(os.path.join(folder, name))
            infos[split].append(ShardInfo(**description["info"] | {"file": name}))
            tallies[split] += _tally(description["tally"])
            alignment.update(description["alignment"])
    return infos, tallies, alignment


def _tally(fields: dict[str, Any]) -> Tally:
    compared = {name: tuple(pair) for name, pair in fields["compared"].items()}
    return Tally(**fields | {"compared": compared})

"""Data sets whose stored records are broken, under right lengths and hashes."""

import hashlib
import json

import tensorflow as tf

from kfer.data import dataset as dataset_lib
from kfer.data import record, shards


def rewritten(folder, split, change):
    """A data set whose records of a split are changed, under right lengths and hashes.

    Args:
      folder: of the data set.
      split: with one shard or more.
      change: row, serialized record -> serialized record.
    """
    manifest = folder / "dataset.json"
    said = json.loads(manifest.read_text())
    row = 0
    for shard in said["splits"][split]["shards"]:
        path = folder / shard["file"]
        found = list(shards.read_shard(str(path)))
        with tf.io.TFRecordWriter(str(path)) as writer:
            for one in found:
                writer.write(change(row, one))
                row += 1
        data = path.read_bytes()
        shard |= {"num_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest.write_text(json.dumps(said))
    return dataset_lib.load(str(folder))


def cut(serialized: bytes) -> bytes:
    """The record with the second half of its picture cut off."""
    whole = record.decode(serialized)
    half = whole.image[: len(whole.image) // 2]
    return record.encode(whole._replace(image=half))

"""A small data set and the files of an audit of it, by hand."""

import csv

from kfer.audit import corrections, review
from kfer.data import shard_files
from kfer.storage import whole
from tests.audit import small

# Not in the order of suspicion, as corrected.csv goes column by column.
ROWS = [
    ("picture, 3", "annotator_1", "dog", "dog", "0.300000", ""),
    ("picture, 1", "annotator_3", "dog", "cat", "0.900000", "model: 2 of 3 <b>"),
    ("picture, 3", "annotator_2", "cat", "dog", "0.800000", "model: 2 of 3"),
    ("picture, 0", "value_1", "0.1 0.2", "0.3 0.2", "9.000000", "9 deviations"),
]


def write(path) -> tuple[str, str]:
    """The folders of the data set and of the audit."""
    dataset = small.write(path / "set")
    audit = path / "audit"
    audit.mkdir()
    with open(audit / "corrected.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([corrections.HEADS, *ROWS])
    digest = shard_files.sha256(str(audit / "corrected.csv"))
    summary = {
        "split": "train",
        "provenance": {"data": {"content_hash": dataset.content_hash}},
        "sha256": {"corrected.csv": digest},
    }
    whole.write_json(str(audit / "audit.json"), summary)
    return str(path / "set"), str(audit)


def make(path, **fields) -> review.Review:
    """A review of `write`."""
    return review.Review(*write(path), **fields)

"""The data set that people's decisions about labels make."""

import collections
import os

from kfer.audit import decisions as decisions_lib
from kfer.audit import label_sets
from kfer.data import dataset as dataset_lib
from kfer.data import rewrite, shard_files
from kfer.errors import UserError
from kfer.storage import fetching


def apply(data_dir: str, split: str, path: str, out_dir: str, command: str) -> str:
    """Writes a copy of a data set with the decisions' labels, whole or not at all.

    What was given stays in the columns `given_*`, and the notes of dataset.json say who
    decided how much, on which audits, and the SHA-256 of the file of decisions.

    Args:
      data_dir: the data set that was audited.
      split: of it.
      path: the file of decisions.
      out_dir: must not exist or be empty.
      command: for the notes.

    Returns:
      What was done, as one line.

    Raises:
      UserError: there is no such file, no decision changes anything, or one doesn't fit
        the data set.
    """
    if not os.path.isfile(path):
        raise UserError(f"There is no file of decisions {path}")
    dataset = dataset_lib.load(data_dir)
    sets = label_sets.read(dataset, split)
    made = decisions_lib.read(path)
    given = {
        name: {
            image_id: int(label)
            for image_id, label in zip(sets.ids, sets.labels[name], strict=True)
            if label >= 0
        }
        for name, column in sets.columns.items()
        if column.is_categorical
    }
    changes = decisions_lib.corrections(made, sets.columns, given)
    if not changes:
        raise UserError(f"No decision of {path} changes a label; nothing is written")
    provenance = {
        "command": command,
        "split": split,
        "decisions": {
            "file": fetching.origin(path),
            "sha256": shard_files.sha256(path),
        },
        "who": dict(collections.Counter(decision.who for decision in made)),
        "audits": sorted({decision.audit for decision in made}),
        "changed": {name: len(rows) for name, rows in changes.items()},
    }
    root = rewrite.with_corrections(dataset, split, changes, out_dir, provenance).root
    count = sum(len(rows) for rows in changes.values())
    return f"{root}: {count} labels changed by {len(made)} lines of {path}"

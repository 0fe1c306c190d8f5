"""Pictures kept back from training, chosen by a hash of their name."""

import json
import os
from collections.abc import Callable, Iterable

from absl import logging

from kfer.data import dataset as dataset_lib
from kfer.data import near_copies, rewrite, tables
from kfer.data.dataset import Dataset
from kfer.data.folder import MANIFEST
from kfer.errors import UserError

SPLIT = "valid"


def chosen(
    names: Iterable[str], share: float, group_of: Callable[[str], str] = str
) -> set[str]:
    """The names that are kept back.

    Args:
      names: of pictures.
      share: of the groups, in (0, 1).
      group_of: name -> what goes into one split as a whole.
    """
    return {name for name in names if tables.place(group_of(name), "holdout") < share}


def make(dataset: Dataset, share: float, out_dir: str, command: str = "") -> Dataset:
    """A copy of a data set, a share of whose training pictures is in 'valid' instead.

    Equal arguments choose the same pictures. Of those kept back the ones that look like
    one that is left in train are set aside, see near_copies. A copy that an earlier
    call made is reused.

    Args:
      dataset: prepared, without a split 'valid'.
      share: of the training pictures, in (0, 1).
      out_dir: of the copy.
      command: noted in dataset.json.

    Raises:
      UserError: a share out of range, a split 'valid', no picture on either side, or
        the place is taken by something else.
    """
    if not 0.0 < share < 1.0:
        raise UserError(f"--holdout is a share between 0 and 1, got {share:g}")
    if SPLIT in dataset.splits and dataset.splits[SPLIT].num_records:
        raise UserError(
            f"{dataset.root} has a split {SPLIT} of "
            f"{dataset.splits[SPLIT].num_records} already; leave --holdout out"
        )
    notes = {"holdout": {"share": share, "of": dataset.content_hash}}
    if os.path.exists(os.path.join(out_dir, MANIFEST)):
        return _reused(out_dir, notes)
    records = rewrite.records(dataset, "train")
    kept_back = chosen((record.image_id for record in records), share)
    if not 0 < len(kept_back) < dataset.split("train").num_records:
        raise UserError(
            f"--holdout={share:g} would keep back {len(kept_back)} of "
            f"{dataset.split('train').num_records} pictures of {dataset.root}; choose "
            "another share"
        )

    def split_of(split: str, image_id: str) -> str:
        return SPLIT if split == "train" and image_id in kept_back else split

    made = rewrite.with_splits(dataset, split_of, out_dir, notes, command)
    made, found = near_copies.report(made, True, (SPLIT,))
    if found:
        logging.warning("%s; set aside", near_copies.describe(found))
    return made


def _reused(out_dir: str, notes: dict) -> Dataset:
    found = dataset_lib.load(out_dir)
    if found.notes.get("holdout") != json.loads(json.dumps(notes["holdout"])):
        raise UserError(
            f"{out_dir} holds a data set made otherwise; remove it or name another "
            "--out_dir"
        )
    return found

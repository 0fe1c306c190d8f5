"""Raw data in, prepared data set out: what kfer-data make and kfer-preprocess call."""

import dataclasses
import json
import os
import shutil
from collections.abc import Sequence
from typing import Any

from absl import logging

from kfer.data import dataset as dataset_lib
from kfer.data import datasets, folder, near_copies
from kfer.data.dataset import Dataset
from kfer.data.datasets import ReaderOptions
from kfer.data.record import Column

# Their pictures are stored as they are; those of all others are aligned by Beam.
AS_THEY_ARE = ("cifar10", "cifar10n", "synthetic_faces")
DRAWN = ("synthetic_faces",)
# A data set that is prepared already, taken as it is.
PREPARED = "prepared"
TABLE = "table"


@dataclasses.dataclass(frozen=True)
class Source:
    """What is read and how.

    Attributes:
      dataset: a key of kfer.data.datasets.DATASETS, or PREPARED.
      options: for the reader; image_size is also that of aligned faces.
      alignment: see kfer.preprocess.transforms.Settings.
    """

    dataset: str
    options: ReaderOptions = dataclasses.field(default_factory=ReaderOptions)
    alignment: str = "eyes"

    @property
    def needs_root(self) -> bool:
        """Whether there is a raw folder to read."""
        return self.dataset not in DRAWN

    def columns(self) -> tuple[dict[str, Column], dict[str, Column]]:
        """The label columns and the clean columns of its records."""
        module = datasets.reader(self.dataset)
        return module.columns(self.options), module.clean_columns(self.options)


def to_json(source: Source) -> str:
    """The source as text, for a pipeline's parameters."""
    return json.dumps(dataclasses.asdict(source), sort_keys=True)


def from_json(text: str) -> Source:
    """Inverse of to_json."""
    fields = json.loads(text)
    options = fields["options"]
    options["flip_rates"] = tuple(options["flip_rates"])
    return Source(
        fields["dataset"], ReaderOptions(**options), fields.get("alignment", "eyes")
    )


def prepare(
    source: Source,
    root: str,
    out_dir: str,
    beam_args: Sequence[str] = (),
    command: str = "",
) -> Dataset:
    """Makes the prepared data set of a source.

    Args:
      source: see Source.
      root: the raw folder; '' for faces that are drawn.
      out_dir: the prepared folder; must not exist or be empty.
      beam_args: Beam's own flags, where faces are aligned.
      command: noted in dataset.json.

    Raises:
      UserError: the raw folder isn't the data set, too many rows are faulty, ...
    """
    if source.dataset == PREPARED:
        return copied(root, out_dir)
    if source.dataset in AS_THEY_ARE:
        return datasets.make(source.dataset, root, out_dir, source.options, command)
    from kfer.preprocess import job, parallel, transforms

    made = job.run(
        job.Job(
            source.dataset,
            root,
            out_dir,
            source.options,
            transforms.Settings(
                root,
                image_size=source.options.image_size,
                alignment=source.alignment,
            ),
            beam_args=tuple(beam_args),
            processes=parallel.default_count(beam_args),
            command=command,
        )
    )
    return _without_near_copies(made) if source.dataset == TABLE else made


def copied(root: str, out_dir: str) -> Dataset:
    """A prepared data set once more, byte for byte.

    Raises:
      UserError: a shard isn't the one that was written, or the place is taken.
    """
    dataset = dataset_lib.load(root)
    shards = [path for split in dataset.splits for path in _shards(dataset, split)]
    with folder.new_folder(out_dir) as made:
        for path in (*shards, *_beside(dataset)):
            shutil.copyfile(path, os.path.join(made, os.path.basename(path)))
    return dataset_lib.load(out_dir)


def _shards(dataset: Dataset, split: str) -> list[str]:
    return dataset.files(split) if dataset.splits[split].num_records else []


def _beside(dataset: Dataset) -> list[str]:
    names = (dataset_lib.MANIFEST, dataset_lib.REJECTED, near_copies.FILE)
    paths = (os.path.join(dataset.root, name) for name in names)
    return [path for path in paths if os.path.isfile(path)]


def _without_near_copies(dataset: Dataset) -> Dataset:
    """As kfer-data import leaves it."""
    count = sum(info.num_records for info in dataset.splits.values())
    if count > near_copies.MANY:
        logging.warning("%d pictures: no near copies are looked for", count)
        return dataset
    dataset, found = near_copies.report(dataset, True)
    if found:
        logging.warning("%s; set aside", near_copies.describe(found))
    return dataset


def describe(dataset: Dataset) -> str:
    """Splits, what was set aside and how noisy the labels are, in one line."""
    counts = [f"{info.num_records} {s}" for s, info in dataset.splits.items()]
    aside = sum(dataset.rejected.values())
    return ", ".join([*counts, *([f"{aside} set aside"] if aside else [])])


def noise_of(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Label column of train -> its noise as far as it is known, as plain values."""
    kept = ("requested", "achieved", "compared", "rmse")
    return {
        column: {key: row[key] for key in kept if row.get(key) is not None}
        for column, row in dataset.noise.get("train", {}).items()
    }


def describe_noise(dataset: Dataset) -> str:
    """'annotator_1 20.0 %, ...': shares of training labels that are wrong."""
    return ", ".join(
        f"{column} {100 * row['achieved']:.1f} %"
        for column, row in noise_of(dataset).items()
        if "achieved" in row
    )

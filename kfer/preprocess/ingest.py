"""Raw data in, prepared data set out: what kfer-data make and kfer-preprocess call."""

import dataclasses
import json
import os
from collections.abc import Sequence
from typing import Any

from kfer.data import datasets
from kfer.data.dataset import Dataset
from kfer.data.datasets import ReaderOptions
from kfer.data.record import Column

# Their pictures are stored as they are; those of all others are aligned by Beam.
AS_THEY_ARE = ("cifar10", "cifar10n", "synthetic_faces")
DRAWN = ("synthetic_faces",)


@dataclasses.dataclass(frozen=True)
class Source:
    """What is read and how.

    Attributes:
      dataset: a key of kfer.data.datasets.DATASETS.
      options: for the reader; image_size is also that of aligned faces.
    """

    dataset: str
    options: ReaderOptions = dataclasses.field(default_factory=ReaderOptions)

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
    return Source(fields["dataset"], ReaderOptions(**options))


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
    if source.dataset in AS_THEY_ARE:
        return datasets.make(source.dataset, root, out_dir, source.options, command)
    from kfer.preprocess import job, transforms

    return job.run(
        job.Job(
            source.dataset,
            root,
            out_dir,
            source.options,
            transforms.Settings(root, image_size=source.options.image_size),
            beam_args=tuple(beam_args),
            processes=_processes(beam_args),
            command=command,
        )
    )


def _processes(beam_args: Sequence[str]) -> int:
    """One for each core where Beam runs in this process alone, else 1."""
    words = " ".join(beam_args)
    alone = "multi_" not in words and ("--runner" not in words or "FnApi" in words)
    return len(os.sched_getaffinity(0)) if alone else 1


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

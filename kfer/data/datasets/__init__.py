"""DATASETS: name -> reader of the raw data; a data set is one module and one line."""

import dataclasses
import importlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from absl import logging

from kfer.data import dataset as dataset_lib
from kfer.data.dataset import Dataset
from kfer.data.record import Column, RawExample, Record, Rejected
from kfer.errors import UserError
from kfer.faces import framing, recorded

DATASETS = {
    "affectnet": "kfer.data.datasets.affectnet",
    "cifar10": "kfer.data.datasets.cifar10",
    "cifar10n": "kfer.data.datasets.cifar10n",
    "ferplus": "kfer.data.datasets.ferplus",
    "manifest": "kfer.data.datasets.manifest",
    "raf": "kfer.data.datasets.raf",
    "synthetic_faces": "kfer.data.datasets.synthetic_faces",
    "table": "kfer.data.datasets.table",
}


@dataclasses.dataclass(frozen=True)
class ReaderOptions:
    """What a reader may be told. A reader ignores what doesn't concern it.

    Attributes:
      seed: of simulated labels and of drawn pictures.
      flip_rates: noise rates of the simulated label sets, one a set; empty means the
        reader's own.
      flip: 'exclusive' moves a label to another class, so the rate asked is the rate
        got; 'inclusive' draws from all classes, as the 2021 code does.
      crowd: who labels drawn faces, a key of drawn_faces.annotators.RATES.
      num_annotators: label sets to sample where the raw data has votes.
      va_noise: standard deviation of the noise on the valence and arousal that are
        made from votes; None makes none.
      official_test: of FER+'s valid and test pictures keep those that its authors score
        on; where a picture stands in several splits, the last one keeps it.
      limit: split -> read the first so many examples only; None reads all.
      machine_labels: path of a machine's label file, joined by image id.
      num_classes: expressions, 7 or 8 with contempt.
      image_size: side in pixels of pictures that are drawn.
      source: where the raw data is: 'files' (the official layout) or 'tfds'.
      table: of a table of ratings, fields of importing.options.TableOptions; None for
        their defaults.
    """

    seed: int = 0
    flip_rates: tuple[float, ...] = ()
    flip: str = "exclusive"
    crowd: str = "habits"
    num_annotators: int = 3
    va_noise: float | None = None
    official_test: bool = False
    limit: dict[str, int] | None = None
    machine_labels: str = ""
    num_classes: int = 7
    image_size: int = 32
    source: str = "files"
    table: dict[str, Any] | None = None

    def __post_init__(self):
        if self.flip not in ("exclusive", "inclusive"):
            raise UserError(f"flip {self.flip!r} is none of exclusive, inclusive")
        if self.source not in ("files", "tfds"):
            raise UserError(f"source {self.source!r} is none of files, tfds")
        if bad := [rate for rate in self.flip_rates if not 0.0 <= rate <= 1.0]:
            raise UserError(f"flip_rates {bad} are outside [0, 1]")
        if self.va_noise is not None and not 0.0 <= self.va_noise < math.inf:
            raise UserError(
                f"va_noise is a standard deviation from 0 on, not {self.va_noise}"
            )
        if bad := {k: v for k, v in (self.limit or {}).items() if v < 0}:
            raise UserError(f"The number of examples can't be below 0, got {bad}")


class Reader(Protocol):
    """What each module of DATASETS offers, as module-level functions.

    It may also have `requested_noise(options) -> dict[str, float]`, label column ->
    noise rate asked for, where the reader simulates noise; `noise_summary(options)`,
    training label column -> row of Dataset.noise, where examples don't hold the truth;
    and `image_size(options) -> int`, where options.image_size doesn't rule it.
    """

    def columns(self, options: ReaderOptions) -> dict[str, Column]:
        """The label columns that examples may have, by name."""

    def clean_columns(self, options: ReaderOptions) -> dict[str, Column]:
        """The columns of the truth, by name."""

    def read(
        self, root: str, options: ReaderOptions
    ) -> Iterator[RawExample | Rejected]:
        """Every annotated picture of the raw folder, in a fixed order.

        Args:
          root: the raw data set's folder; '' for a data set that is drawn.
          options: see ReaderOptions.

        Returns:
          Examples, and for each annotation that can't be one, a Rejected. Rows in =
          examples + rejected.

        Raises:
          UserError: the folder as a whole isn't this data set.
        """


def reader(name: str) -> Any:
    """The module that reads a raw data set, as a Reader.

    Raises:
      UserError: an unknown name.
    """
    if name not in DATASETS:
        raise UserError(f"Unknown data set {name!r}; known: {', '.join(DATASETS)}")
    return importlib.import_module(DATASETS[name])


def to_record(example: RawExample) -> Record | Rejected:
    """The example with its picture stored as it is: arrays as PNG, bytes unchanged.

    Raises:
      UserError: its picture is a file, which is kfer-preprocess's to find and align.
    """
    import cv2

    if isinstance(example.image, str):
        raise UserError(
            f"{example.source} names picture files; these are decoded, aligned and "
            "written by kfer-preprocess, not by kfer-data make"
        )
    image = example.image
    if isinstance(image, bytes) and not image.startswith(b"\x89PNG"):
        return _rejected(example, "image not PNG", repr(image[:8]))
    if not isinstance(image, bytes):
        bgr = image[..., ::-1]
        # Small pictures gain little from more.
        _, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        image = data.tobytes()
    return Record(
        example.image_id,
        image,
        example.labels,
        example.clean,
        example.source,
        example.box,
    )


def _rejected(example: RawExample, reason: str, detail: str) -> Rejected:
    return Rejected(example.image_id, reason, detail, example.source)


def _items(
    module: Any, root: str, options: ReaderOptions
) -> Iterator[tuple[str, Record] | Rejected]:
    declared = module.columns(options), module.clean_columns(options)
    seen: set[str] = set()
    for example in module.read(root, options):
        if isinstance(example, Rejected):
            yield example
        elif example.image_id in seen:
            yield _rejected(example, "duplicate id", example.image_id)
        elif found := _label_problem(example, *declared):
            yield _rejected(example, "label out of range", found)
        else:
            seen.add(example.image_id)
            record = to_record(example)
            yield record if isinstance(record, Rejected) else (example.split, record)


def _label_problem(
    example: RawExample,
    columns: Mapping[str, Column],
    clean_columns: Mapping[str, Column],
) -> str:
    for declared, values in ((columns, example.labels), (clean_columns, example.clean)):
        for name, value in values.items():
            if name not in declared:
                return f"undeclared column {name}"
            if found := declared[name].problem(value):
                return found
    return ""


def make(
    name: str,
    root: str,
    out_dir: str,
    options: ReaderOptions = ReaderOptions(),
    command: str = "",
    overwrite: bool = False,
) -> Dataset:
    """Prepares a data set whose pictures need no alignment.

    Args:
      name: a key of DATASETS.
      root: the raw folder; '' for a data set that is drawn.
      out_dir: the prepared folder; must not exist or be empty, unless `overwrite`.
      options: for the reader.
      command: noted in dataset.json.
      overwrite: an older data set at out_dir is replaced.

    Raises:
      UserError: see dataset.write_items and the reader.
    """
    module = reader(name)
    dataset = dataset_lib.write_items(
        out_dir,
        name,
        _items(module, root, options),
        module.columns(options),
        module.clean_columns(options),
        splits=("train", "test"),
        overwrite=overwrite,
        command=command,
        image_size=getattr(module, "image_size", lambda o: o.image_size)(options),
        noise=getattr(module, "requested_noise", lambda _: {})(options),
        known_noise={"train": getattr(module, "noise_summary", lambda _: {})(options)},
        options=dataclasses.asdict(options),
        notes={recorded.KEY: recorded.note(getattr(module, "FRAMING", framing.NONE))},
    )
    log_noise(dataset)
    return dataset


def log_noise(dataset: Dataset) -> None:
    """Logs the noise rate that each label set got, and what was set aside."""
    for split, table in dataset.noise.items():
        for column, row in table.items():
            if "achieved" not in row:
                continue
            asked = row.get("requested")
            logging.info(
                "%s %s: %.2f %% of %d labels differ from the truth%s",
                split,
                column,
                100 * row["achieved"],
                row["compared"],
                "" if asked is None else f" (requested {100 * asked:.2f} %)",
            )
    for reason, count in dataset.rejected.items():
        logging.warning("%d records set aside: %s", count, reason)


def prepare(
    data_dir: str,
    name: str,
    out_dir: str,
    options: ReaderOptions = ReaderOptions(),
    command: str = "",
) -> Dataset:
    """The prepared data set, made on the first call.

    Args:
      data_dir: a prepared data set, or the raw folder of data set `name` ('' for one
        that is drawn).
      name: a key of DATASETS.
      out_dir: where a raw data set is prepared; reused if it was before.
      options: for the reader.
      command: noted in dataset.json.

    Raises:
      UserError: neither, or `out_dir` holds a data set made otherwise.
    """
    reader(name)
    if data_dir and os.path.exists(os.path.join(data_dir, dataset_lib.MANIFEST)):
        return dataset_lib.load(data_dir)
    if data_dir and not os.path.isdir(data_dir):
        raise UserError(f"There is no folder {data_dir} to read {name} from")
    if not os.path.exists(os.path.join(out_dir, dataset_lib.MANIFEST)):
        return make(name, data_dir, out_dir, options, command)
    dataset = dataset_lib.load(out_dir)
    wanted = json.loads(json.dumps(dataclasses.asdict(options)))
    # Options that are newer than the data set had no say in it.
    found = json.loads(json.dumps(dataclasses.asdict(ReaderOptions())))
    found |= dataset.options
    if (dataset.name, found) != (name, wanted):
        raise UserError(
            f"{out_dir} holds {dataset.name} made with {dataset.options}, asked for is "
            f"{name} with {wanted}; remove it or name another folder"
        )
    return dataset

"""kfer-data import: a table of ratings and a folder of pictures -> a data set."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

from absl import flags, logging

from kfer.bin import common, table_flags
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("images", "", "Folder that the table's picture names start from.")
flags.DEFINE_enum(
    "alignment",
    None,
    ["eyes", "authors_2021", "none"],
    "eyes puts faces upright, none keeps the centred square; eyes where the table has "
    "eyes or boxes, else none.",
)
flags.DEFINE_float(
    "max_rejected", 0.05, "Share of faulty rows at which nothing is written.", 0.0, 1.0
)
flags.DEFINE_bool(
    "remove_near_copies",
    True,
    "Set aside test (valid) pictures that look like one in train.",
)
flags.DEFINE_bool(
    "dry_run", False, "Only say what is understood and what would be set aside."
)


def run(arguments: Sequence[str]) -> None:
    """Says what a table means, then makes the data set.

    Raises:
      UserError: wrong use, or see importing.sources.load and preprocess.job.run.
    """
    if len(arguments) != 1:
        raise UserError(f"import takes one table or folder, got {list(arguments)}")
    path = os.path.abspath(arguments[0])
    if not os.path.exists(path):
        raise UserError(f"There is no table {arguments[0]}")
    root = FLAGS.images or (path if os.path.isdir(path) else os.path.dirname(path))
    if not os.path.isdir(root):
        raise UserError(f"There is no folder --images={root}")
    if os.path.isdir(path) and not os.path.samefile(root, path):
        raise UserError(
            f"--images goes with a table; {arguments[0]} is a folder of pictures itself"
        )
    if not FLAGS.out_dir and not FLAGS.dry_run:
        raise UserError("import needs an --out_dir to make, or --dry_run")
    from kfer.data.importing import describe, sources
    from kfer.data.importing.options import from_dict

    splits = common.numbers(FLAGS.splits, "splits")
    table = table_flags.options_from_flags(path=path, splits=list(splits))
    found, made = sources.load(root, from_dict(table))
    print(describe.describe(found, made, from_dict(table)), flush=True)
    if FLAGS.dry_run:
        _foretell(root, table)
    else:
        _make(root, table, found)


def _foretell(root: str, table: dict) -> None:
    """Says what an import would set aside, as far as no picture is opened.

    Raises:
      UserError: the import would be refused for it.
    """
    from kfer.data import datasets
    from kfer.preprocess import forecast, rows

    options = datasets.ReaderOptions(seed=FLAGS.seed, table=table)
    read = rows.read(datasets.reader("table"), root, options)
    found = forecast.of(read, root)
    print(found.describe(), flush=True)
    if refusal := found.refusal(FLAGS.max_rejected):
        raise UserError(refusal)


def _make(root: str, table: dict, found: Any) -> None:
    from kfer.preprocess import job
    from kfer.python import tables

    size = FLAGS.image_size if FLAGS["image_size"].present else tables.IMAGE_SIZE
    alignment, seed = FLAGS.alignment or "", FLAGS.seed
    described = dataclasses.replace(
        tables.job_of(root, table, found, FLAGS.out_dir, size, alignment, seed),
        max_rejected=FLAGS.max_rejected,
        overwrite=FLAGS.overwrite,
        processes=len(os.sched_getaffinity(0)),
        command=common.command_line(),
    )
    job.check(described)
    common.import_tensorflow()
    dataset = job.run(described)
    dataset = common.say_near_copies(dataset, FLAGS.remove_near_copies)
    counts = {split: info.num_records for split, info in dataset.splits.items()}
    logging.info("%s holds %s", dataset.root, counts)
    print(f"Train on it: kfer-train --data_dir={dataset.root} --out_dir=RUN")

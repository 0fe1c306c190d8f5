"""Makes, checks and shows data sets.

kfer-data import TABLE --images=DIR --out_dir=DIR    a table of anybody's ratings
kfer-data make --dataset=NAME --out_dir=DIR [--source_dir=RAW] [flags]
kfer-data verify DIR    reads everything and compares it with dataset.json
kfer-data show DIR      splits, classes, columns, noise, what was set aside
kfer-data inspect DIR [--source_dir=RAW]    an HTML page with pictures and plots
kfer-data audit-raf DIR    RAF-DB's machine labels against its list, without images
"""

import os
import sys
import types
from collections.abc import Callable, Sequence

from absl import flags, logging

from kfer.bin import common, remote, table_flags, table_import
from kfer.data import dataset as dataset_lib
from kfer.data import datasets, described, folder, verification
from kfer.data.drawn_faces import annotators
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("dataset", "", f"One of {', '.join(datasets.DATASETS)}.")
flags.DEFINE_string("out_dir", "", "Folder to make; must not exist or be empty.")
flags.DEFINE_string(
    "source_dir", "", "Folder of the raw data; empty for a data set that is drawn."
)
flags.DEFINE_enum(
    "source", "files", ["files", "tfds"], "Layout of the raw data (cifar10)."
)
flags.DEFINE_bool("overwrite", False, "Replace a data set at --out_dir.")
flags.DEFINE_integer("seed", 0, "Of simulated labels and drawn pictures.")
flags.DEFINE_integer(
    "image_size", 32, "Side in pixels of pictures that are drawn.", lower_bound=8
)
flags.DEFINE_integer("num_train", None, "Training examples; all if not given.")
flags.DEFINE_integer("num_test", None, "Test examples; all if not given.")
flags.DEFINE_list(
    "flip_rates", [], "Noise rates of the simulated label sets, such as 0.2,0.3,0.4."
)
flags.DEFINE_enum(
    "flip",
    "exclusive",
    ["exclusive", "inclusive"],
    "Whether a flip always changes the class, or may keep it as the 2021 code does.",
)
flags.DEFINE_enum(
    "crowd",
    "habits",
    list(annotators.RATES),
    "Who labels drawn faces: three with habits of their own, three whose errors agree "
    "(pairs), five of whom two label each picture (sparse), two and one who answers "
    "anything (spammer), or the first three with valence and arousal of each (judges).",
)


STORES = {
    "out_dir": remote.WRITE_DATA,
    "source_dir": remote.READ,
    "images": remote.READ,
}

_COUNTED = ("cifar10", "cifar10n", "synthetic_faces")
# Flags of make that readers of other data sets would ignore.
ONLY_FOR = {
    "crowd": ("synthetic_faces",),
    "flip": ("cifar10",),
    "flip_rates": ("cifar10", "synthetic_faces"),
    "image_size": ("synthetic_faces",),
    "num_test": _COUNTED,
    "num_train": _COUNTED,
    "source": ("cifar10",),
}


def store_arguments(argv: Sequence[str]) -> bool:
    """Whether arguments may be places of object stores: inspect writes to its own."""
    return argv[:1] != ["inspect"]


def options_from_flags() -> datasets.ReaderOptions:
    """The reader's options that the flags ask for."""
    limit = {"train": FLAGS.num_train, "test": FLAGS.num_test}
    limit = {split: count for split, count in limit.items() if count is not None}
    return datasets.ReaderOptions(
        seed=FLAGS.seed,
        flip_rates=common.numbers(FLAGS.flip_rates, "flip_rates"),
        flip=FLAGS.flip,
        crowd=FLAGS.crowd,
        limit=limit or None,
        image_size=FLAGS.image_size,
        source=FLAGS.source,
    )


def make(arguments: Sequence[str]) -> None:
    """Prepares a data set."""
    if arguments:
        raise UserError(f"make takes flags only, got {' '.join(arguments)!r}")
    for flag in ("dataset", "out_dir"):
        if not FLAGS[flag].value:
            raise UserError(f"make needs --{flag}")
    options = options_from_flags()
    datasets.reader(FLAGS.dataset)
    for flag, known in ONLY_FOR.items():
        if FLAGS[flag].present and FLAGS.dataset not in known:
            raise UserError(f"--{flag} goes with --dataset={' or '.join(known)} alone")
    folder.check_target(FLAGS.out_dir, FLAGS.overwrite)
    common.import_tensorflow()
    dataset = datasets.make(
        FLAGS.dataset,
        FLAGS.source_dir,
        FLAGS.out_dir,
        options,
        common.command_line(),
        FLAGS.overwrite,
    )
    counts = {split: info.num_records for split, info in dataset.splits.items()}
    logging.info("%s holds %s", FLAGS.out_dir, counts)


def verify(arguments: Sequence[str]) -> None:
    """Reads everything and compares it with dataset.json."""
    dataset = dataset_lib.load(_folder("verify", arguments))
    common.import_tensorflow()
    verification.verify(dataset)
    counts = {split: info.num_records for split, info in dataset.splits.items()}
    print(f"{dataset.root}: {dataset.name} is whole: {counts}")


def show(arguments: Sequence[str]) -> None:
    """Prints what dataset.json says."""
    print(described.describe(dataset_lib.load(_folder("show", arguments))))


def _folder(command: str, arguments: Sequence[str]) -> str:
    if len(arguments) != 1:
        raise UserError(f"{command} takes one folder, got {list(arguments)}")
    return os.path.normpath(arguments[0])


def inspect_(arguments: Sequence[str]) -> None:
    """Writes an HTML page about a data set."""
    folder = _folder("inspect", arguments)
    common.import_tensorflow()
    from kfer.preprocess import inspect

    print(inspect.write_page(folder, FLAGS.source_dir))


def audit_raf(arguments: Sequence[str]) -> None:
    """Compares RAF-DB's machine labels with its list."""
    from kfer.data import raf_audit

    print(raf_audit.describe(raf_audit.audit(_folder("audit-raf", arguments))))


SUBCOMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    "import": table_import.run,
    "make": make,
    "verify": verify,
    "show": show,
    "inspect": inspect_,
    "audit-raf": audit_raf,
}


def _defined_in(*modules: types.ModuleType) -> frozenset[str]:
    found = map(FLAGS.get_key_flags_for_module, modules)
    return frozenset(flag.name for flags_ in found for flag in flags_)


# Asked before the import's flags are added to the help's.
_MAKES = _defined_in(sys.modules[__name__])
_IMPORTS = _defined_in(table_import, table_flags)


def _refuse_unread(command: str) -> None:
    """Raises UserError for a flag that was given and another subcommand reads."""
    read = {
        "make": _MAKES,
        "import": _IMPORTS | {"out_dir", "overwrite", "image_size", "seed"},
        "inspect": {"source_dir"},
    }
    for flag in sorted(_MAKES | _IMPORTS):
        if FLAGS[flag].present and flag not in read.get(command, ()):
            readers = [name for name, flags_ in read.items() if flag in flags_]
            raise UserError(
                f"--{flag} goes with {' and '.join(readers)}, {command} doesn't read it"
            )


def main(argv: Sequence[str]) -> None:
    """Calls the function of the first word.

    Raises:
      UserError: no word or an unknown one, or a flag that it doesn't read.
    """
    name = argv[1] if len(argv) > 1 else ""
    if name not in SUBCOMMANDS:
        raise UserError(
            f"{f'Unknown subcommand {name!r}' if name else 'A subcommand is needed'}; "
            f"known: {', '.join(SUBCOMMANDS)}"
        )
    _refuse_unread(name)
    SUBCOMMANDS[name](argv[2:])


def entry() -> None:
    """The console command kfer-data."""
    for flag in _IMPORTS:
        FLAGS.register_key_flag_for_module(sys.argv[0], FLAGS[flag])
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

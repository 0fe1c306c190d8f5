"""Says what the labels of a prepared data set tell about its annotators.

kfer-audit --data_dir=DIR [--out_dir=DIR] [--split=train]

Prints noise, agreement and confusion; with --out_dir also writes audit.html, audit.json
and consensus.csv (docs/audit.md).
"""

from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("data_dir", "", "A prepared data set.")
flags.DEFINE_string("out_dir", "", "Folder for the files; none are written if empty.")
flags.DEFINE_string("split", "train", "Whose labels are audited.")


def main(argv: Sequence[str]) -> None:
    """Audits, prints and writes.

    Raises:
      UserError: wrong use, or see audit.audit and files.write.
    """
    if len(argv) != 1:
        raise UserError(f"kfer-audit takes flags only, got {' '.join(argv[1:])!r}")
    if not FLAGS.data_dir:
        raise UserError("kfer-audit needs --data_dir, a prepared data set")
    from kfer.data import dataset

    dataset.load(FLAGS.data_dir).split(FLAGS.split)  # wrong use is told at once
    common.import_tensorflow()
    from kfer.audit import audit, files, tables

    found = audit.audit(FLAGS.data_dir, FLAGS.split, common.command_line())
    print(tables.text(found.summary))
    if FLAGS.out_dir:
        print("", *files.write(FLAGS.out_dir, found), sep="\n")


def entry() -> None:
    """The console command kfer-audit."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

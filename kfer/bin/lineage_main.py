"""Says what made a model: data, label noise, config, commit, packages, parents.

kfer-lineage MODEL_DIR [--metadata=FILE] [--picture=FILE]

MODEL_DIR is a version that a pipeline pushed (ROOT/models/NAME/1) or a Trainer's model.
"""

import os
from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.lineage import store, text

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "metadata", "", "SQLite file of ML Metadata; looked for above MODEL_DIR if empty."
)
flags.DEFINE_string("picture", "", "Also draw the steps into this .png, .svg or .pdf.")


def main(argv: Sequence[str]) -> None:
    """Prints the lineage, and draws it if asked.

    Raises:
      UserError: wrong use, or see lineage.trace.
    """
    if len(argv) != 2:
        raise UserError(f"kfer-lineage takes one model folder, got {list(argv[1:])}")
    if FLAGS.picture and not FLAGS.picture.endswith((".png", ".svg", ".pdf")):
        raise UserError(f"--picture is a .png, .svg or .pdf file, not {FLAGS.picture}")
    common.needs_tfx("ml_metadata")
    found = store.trace(argv[1], FLAGS.metadata)
    print(text.describe(found))
    if FLAGS.picture:
        text.draw(found, FLAGS.picture)
        print(f"\npicture    {os.path.abspath(FLAGS.picture)}")


def entry() -> None:
    """The console command kfer-lineage."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Writes a run's newest checkpoint as a SavedModel.

kfer-export --run=DIR [--out_dir=DIR] [--with_decoder]

The model takes encoded pictures ('serving_default') or float images ('predict_images')
and answers by target name, with class names; a decoder draws from labels ('generate').
"""

import os
from collections.abc import Sequence

from absl import flags

from kfer import export, model_folder, run_folder
from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("run", "", "Folder of the run, the --out_dir of kfer-train.")
flags.DEFINE_string("out_dir", "", "Folder to make; the run's model/ if empty.")
flags.DEFINE_bool("with_decoder", False, "Also draw pictures from labels ('generate').")
flags.DEFINE_bool("overwrite", False, "Replace a model at --out_dir.")


def main(argv: Sequence[str]) -> None:
    """Exports the run of the flags.

    Raises:
      UserError: wrong use, no run, or the place is taken.
    """
    if len(argv) > 1:
        raise UserError(f"kfer-export takes flags only, got {' '.join(argv[1:])!r}")
    if not FLAGS.run:
        raise UserError("Name the --run to export")
    out_dir = FLAGS.out_dir or os.path.join(FLAGS.run, run_folder.MODEL)
    run_folder.load_config(FLAGS.run)
    model_folder.check_target(out_dir, FLAGS.overwrite)
    common.import_tensorflow()
    exported = export.export_run(
        FLAGS.run, out_dir, FLAGS.with_decoder, FLAGS.overwrite
    )
    print(exported.describe())


def entry() -> None:
    """The console command kfer-export."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

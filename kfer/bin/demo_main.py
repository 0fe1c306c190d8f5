"""Learns drawn faces from noisy annotators: the proposed method beside a VGGNet.

kfer-demo --out_dir=DIR

Draws the faces, trains both methods on the same noisy labels for as many steps, and
ends with their scores on the clean test split. Run again, it goes on where it stopped,
or shows what it found.
"""

import os
from collections.abc import Sequence

from absl import flags, logging

from kfer import config as config_lib
from kfer.bin import common
from kfer.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string("out_dir", "runs/demo", "Folder of the data set and both runs.")
flags.DEFINE_integer("seed", 0, "Of the faces, the noise and the training.")
flags.DEFINE_integer("epochs", None, "Passes over the data; the experiment's if unset.")

BASELINE, PROPOSED = "vgg_all", "joint"


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise UserError(f"kfer-demo takes flags only, got {' '.join(argv[1:])!r}")
    common.import_tensorflow()
    from kfer import training
    from kfer.data import datasets

    fields = {"seed": FLAGS.seed}
    if FLAGS.epochs:
        fields["epochs"] = FLAGS.epochs
    runs = {}
    for method in (BASELINE, PROPOSED):
        config = config_lib.experiment_config(
            "synthetic_faces", "kfer", method, **fields
        )
        dataset = datasets.prepare(
            "",
            config.dataset,
            os.path.join(FLAGS.out_dir, "data"),
            datasets.ReaderOptions(seed=FLAGS.seed, image_size=config.image_size),
            common.command_line(),
        )
        runs[method] = os.path.join(FLAGS.out_dir, method)
        settings = training.RunSettings(command=common.command_line())
        if training.train(config, dataset, runs[method], settings)["interrupted"]:
            logging.info("Stopped by a signal; the same command goes on")
            return 143
    page = training.publish(runs[PROPOSED], [runs[BASELINE]])
    for method, run_dir in runs.items():
        print(f"\n{method}\n{training.summary(run_dir)}")
    print(f"\nSavedModel  {os.path.join(runs[PROPOSED], 'model')}\nReport      {page}")
    return 0


def entry() -> None:
    """The console command kfer-demo."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

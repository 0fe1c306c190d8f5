"""Writes the compiled steps of a config, for a host that has jax and no TensorFlow.

python benchmarks/xla/export_step.py --experiment=cifar10_multi --data_dir=DIR \
    --out_dir=DIR

--out_dir gets, and run_step.py reads:
  map.json         the config, every variable with its shape and starting rule, and for
                   each module what goes in and comes out, in order
  train.hlo        one training step: batch and variables -> means, updated variables
  warmup.hlo       the same of a warm-up step, where the config has such epochs
  answers.hlo      images and variables -> answers by target
  draw.hlo         y0, labels and variables -> pictures, where there is a decoder
  start.hlo        pictures and variables -> the encoder's fitted start, where the
                   recipe has encoder_start=standardized
  data.npz         pictures, labels and masks of both splits
  values.npz       the variables' values, with --values; else they start by rule
"""

import os
from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.settings import config as config_lib
from kfer.settings.parsing import parse_settings
from kfer.settings.recipes import RECIPES

FLAGS = flags.FLAGS

flags.DEFINE_string("experiment", "", f"One of {', '.join(config_lib.EXPERIMENTS)}.")
flags.DEFINE_string("method", "joint", "A row of the tables.")
flags.DEFINE_string("recipe", "kfer", f"One of {', '.join(RECIPES)}.")
flags.DEFINE_list("set", [], "More settings, such as batch_size=64,width=0.25.")
flags.DEFINE_string("data_dir", "", "Prepared data set.")
flags.DEFINE_string("out_dir", "", "Folder to write.")
flags.DEFINE_bool("values", False, "Write the variables' values too.")
flags.DEFINE_enum(
    "images",
    "pixels",
    ["pixels", "encoded", "apart"],
    "As arrays, as they are stored, or in a pictures.npz beside --out_dir (bundle.py).",
)


def main(argv: Sequence[str]) -> int:
    import exporting

    from kfer import methods
    from kfer.data import dataset as dataset_lib

    if len(argv) > 1 or not (FLAGS.experiment and FLAGS.data_dir and FLAGS.out_dir):
        raise UserError("Name --experiment, --data_dir (prepared) and --out_dir")
    config = methods.resolve_tasks(
        config_lib.experiment_config(
            FLAGS.experiment,
            FLAGS.recipe,
            FLAGS.method,
            **parse_settings(FLAGS.set),
        )
    )
    dataset = dataset_lib.load(FLAGS.data_dir)
    config = methods.fit_to_data(config, dataset)
    exporting.export(config, dataset, FLAGS.out_dir, FLAGS.values, FLAGS.images)
    for name in sorted(os.listdir(FLAGS.out_dir)):
        size = os.path.getsize(os.path.join(FLAGS.out_dir, name))
        print(f"{size / 1e6:8.2f} MB  {name}")
    return 0


if __name__ == "__main__":
    common.run(main)

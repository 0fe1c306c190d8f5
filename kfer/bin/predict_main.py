"""Prints what an exported model says of pictures.

kfer-predict IMAGE... --model=DIR [--format=table|json]

An IMAGE may be a folder of pictures. Exit status 1 if a picture could not be read; the
others are answered nevertheless.
"""

import json
from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.serving import predict

FLAGS = flags.FLAGS

flags.DEFINE_string("model", "", "A SavedModel of kfer-export, or a run's folder.")
flags.DEFINE_enum("format", "table", ["table", "json"], "How to print the answers.")
flags.DEFINE_integer("batch_size", 64, "Pictures in a request.", lower_bound=1)


def main(argv: Sequence[str]) -> int:
    """Predicts the pictures of the command line.

    Raises:
      UserError: no picture or no model is named, or there is none.
    """
    if len(argv) < 2 or not FLAGS.model:
        raise UserError("Name pictures and a model: kfer-predict IMAGE... --model=DIR")
    paths = predict.expand(argv[1:])
    predict.find_model(FLAGS.model)
    common.import_tensorflow()
    predictor = predict.Predictor(FLAGS.model, FLAGS.batch_size)
    rows = predictor.predict(paths, progress=True)
    if FLAGS.format == "json":
        print(json.dumps(rows, indent=1))
    else:
        print(predict.table(rows, predictor.targets))
    return int(any("error" in row for row in rows))


def entry() -> None:
    """The console command kfer-predict."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

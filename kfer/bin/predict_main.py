"""Prints what an exported model says of pictures.

kfer-predict IMAGE... --model=DIR [--format=table|json|csv]
    [--framing=none|as_given|landmarks] [--detector=mtcnn|yuface|cascade]

An IMAGE may be a folder of pictures and of folders of them. Exit status 1 if a picture
could not be read or a face not be aligned; the others are answered nevertheless.

The model is a folder of kfer-export, in any format, a run's folder, or the base of
published versions, of which the newest answers. Pictures are framed as the model's
training pictures were, which its folder says: with none the whole picture is answered
for; with as_given (upright crops of faces, as FER+ has them) or landmarks (faces that
kfer-preprocess aligned by their eyes) faces are found first, and each gets an answer of
its own; a picture without one says so. --framing and --detector overrule the folder;
models of an older kfer say nothing and get whole pictures.
"""

import json
from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from kfer.faces import detectors, framing
from kfer.serving import answer_csv, asking, faces, predict

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "model", "", "A model of kfer-export, a run's folder, or a base of versions."
)
flags.DEFINE_enum(
    "format", "table", ["table", "json", "csv"], "How to print the answers."
)
flags.DEFINE_enum(
    "framing", None, framing.FRAMINGS, "How faces are cut, if not as the model says."
)
flags.DEFINE_enum(
    "detector",
    None,
    sorted(detectors.DETECTORS),
    "Finds the faces, if not the model's.",
)
flags.DEFINE_integer("batch_size", 64, "Pictures in a request.", lower_bound=1)


def main(argv: Sequence[str]) -> int:
    """Predicts the pictures of the command line.

    Raises:
      UserError: no picture or no model is named, or there is none.
    """
    if len(argv) < 2 or not FLAGS.model:
        raise UserError("Name pictures and a model: kfer-predict IMAGE... --model=DIR")
    paths = predict.expand(argv[1:])
    asking.find_model(FLAGS.model)
    common.import_tensorflow()
    predictor = predict.Predictor(FLAGS.model, FLAGS.batch_size)
    kind, detector = faces.framing_of(predictor, FLAGS.framing, FLAGS.detector)
    if kind == framing.NONE:
        rows = predictor.predict(paths, progress=True)
    else:
        finder = faces.FacePredictor(predictor, kind, detector)
        rows = list(finder.predict(paths))
    if FLAGS.format == "json":
        print(json.dumps(rows, indent=1))
    elif FLAGS.format == "csv":
        print(answer_csv.text(rows, predictor.targets), end="")
    else:
        print(predict.table(rows, predictor.targets))
    return int(any("error" in row for row in rows))


def entry() -> None:
    """The console command kfer-predict."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Prints what an exported model says of pictures, videos or a camera.

kfer-predict FILE... --model=DIR [--format=table|json|csv] [--annotate=DIR]
    [--framing=none|as_given|landmarks] [--detector=mtcnn|yuface|cascade]
    [--min_confidence=0.5] [--words] [--label_order=NAME]
kfer-predict --camera=0 --model=DIR

A FILE is a picture or a video, a folder of them and of folders of them, or a pattern
such as 'photos/**/*.jpg'. Exit status 1 if one could not be read or a face not be
aligned; the others are answered nevertheless.

The model is a folder of kfer-export, in any format, a run's folder, or the base of
published versions, of which the newest answers. Pictures are framed as the model's
training pictures were, which its folder says: with none the whole picture is answered
for; with as_given (upright crops of faces, as FER+ has them) or landmarks (faces that
kfer-preprocess aligned by their eyes) faces are found first, and each gets an answer of
its own; a picture without one says so. --framing and --detector overrule the folder;
models of an older kfer say nothing and get whole pictures.

In a video each face keeps its number as long as it is followed, and its answers are
averaged over --smooth_seconds. --every=5 looks at every fifth frame. A camera runs
until Ctrl-C or for --seconds.
"""

import signal
from collections.abc import Iterable, Iterator, Sequence

from absl import flags

from kfer.bin import common, remote
from kfer.data import label_orders
from kfer.errors import UserError
from kfer.faces import detectors, framing
from kfer.images import decode
from kfer.serving import (
    annotate,
    answer_rules,
    answer_text,
    answering,
    asking,
    faces,
    predict,
    video,
    video_predict,
)

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "model", "", "A model of kfer-export, a run's folder, or a base of versions."
)
flags.DEFINE_enum("format", "table", answer_text.FORMATS, "How to print the answers.")
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
flags.DEFINE_string(
    "annotate", "", "Folder to write the pictures and videos to, with answers drawn."
)
flags.DEFINE_float(
    "min_confidence", 0.0, "Abstain from less sure classes.", 0.0, upper_bound=1.0
)
flags.DEFINE_bool("words", False, "Also tell valence and arousal in words.")
flags.DEFINE_enum(
    "label_order",
    None,
    sorted(label_orders.ORDERS),
    "Give classes in another tool's order, with its numbers.",
)
flags.DEFINE_integer("camera", None, "Number of a camera, from 0.", lower_bound=0)
flags.DEFINE_integer("every", 1, "Look at every n-th frame.", lower_bound=1)
flags.DEFINE_float("seconds", 0.0, "Of a video or camera; 0: to its end.", 0.0)
flags.DEFINE_float(
    "smooth_seconds", 0.5, "Half-life of a face's averages; 0: none.", lower_bound=0.0
)

STORES = {"model": remote.READ_NEWEST}


def store_arguments(argv: Sequence[str]) -> bool:
    """Pictures and videos may be places of object stores."""
    del argv
    return True


ENDINGS = (*decode.EXTENSIONS, *video.EXTENSIONS)


_OF_VIDEO = ("every", "seconds", "smooth_seconds")


def main(argv: Sequence[str]) -> int:
    """Predicts the files of the command line, or a camera.

    Raises:
      UserError: no picture or no model is named, or there is none.
    """
    if (len(argv) < 2) == (FLAGS.camera is None) or not FLAGS.model:
        raise UserError(
            "Name pictures and a model: kfer-predict FILE... --model=DIR, or "
            "--camera=0 without pictures"
        )
    paths = predict.expand(argv[1:], ENDINGS)
    films = [path for path in paths if video.is_video(path)]
    moving = bool(films) or FLAGS.camera is not None
    if not moving and (unread := [n for n in _OF_VIDEO if FLAGS[n].present]):
        raise UserError(f"--{unread[0]} is for videos and a camera; there is none")
    asking.find_model(FLAGS.model)
    footage = None if FLAGS.camera is None else video.open_camera(FLAGS.camera)
    videos = [footage.name] if footage else films
    gallery = None
    if FLAGS.annotate:
        pictures = [path for path in paths if path not in videos]
        gallery = annotate.Gallery(FLAGS.annotate, pictures, videos)
    common.import_tensorflow()
    asked = _answering(gallery)
    if footage:
        signal.signal(signal.SIGINT, lambda *_: footage.stop())
    parts = asked.footage(footage) if footage else asked.files(paths)
    return _printed(parts, asked.targets, moving)


def _answering(gallery: annotate.Gallery | None) -> answering.Answering:
    predictor = predict.Predictor(FLAGS.model, FLAGS.batch_size)
    kind, detector = faces.framing_of(predictor, FLAGS.framing, FLAGS.detector)
    return answering.Answering(
        predictor,
        kind,
        detector,
        video_predict.Pace(FLAGS.every, FLAGS.seconds, FLAGS.smooth_seconds),
        answer_rules.Rules(FLAGS.min_confidence, FLAGS.words, FLAGS.label_order or ""),
        gallery,
    )


def _printed(
    parts: Iterator[answering.Rows], targets: Sequence[dict], moving: bool
) -> int:
    """Prints rows as they come; the exit status."""
    failed = False

    def checked() -> Iterator[answering.Rows]:
        nonlocal failed
        for rows in parts:
            failed = failed or any("error" in row for row in rows)
            yield rows

    found: Iterable[answering.Rows] = checked()
    if FLAGS.format == "table" and not moving:
        # Of pictures all columns are known to the end, so they stand in line.
        found = [[row for rows in found for row in rows]]
    for text in answer_text.pieces(FLAGS.format, found, targets):
        print(text, end="", flush=True)
    return int(failed)


def entry() -> None:
    """The console command kfer-predict."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Writes a run's newest checkpoint as a SavedModel, ONNX or TFLite.

kfer-export --run=DIR [--out_dir=DIR] [--publish=BASE] [--with_decoder]
kfer-export --run=DIR --out_dir=DIR --format=onnx|tflite [--quantize]

A SavedModel takes encoded pictures ('serving_default'), float images
('predict_images') or tf.train.Examples ('predict_examples') and answers by target name,
with class names; a decoder draws from labels ('generate'). --publish puts it into
BASE/<next number>, for TensorFlow Serving.
Its confidence is calibrated on the labels of the run's data set, never on those of the
test split unless it is named.
"""

import os
import tempfile
from collections.abc import Sequence

from absl import flags

from kfer.bin import common, remote
from kfer.errors import UserError
from kfer.serving import confidence, export, latency, model_folder, publish
from kfer.settings.optimization import CHOICES
from kfer.training import run_folder

FLAGS = flags.FLAGS

flags.DEFINE_string("run", "", "Folder of the run, the --out_dir of kfer-train.")
flags.DEFINE_string(
    "out_dir", "", "Folder to make; the run's model/ if empty, unless --publish is set."
)
flags.DEFINE_bool("with_decoder", False, "Also draw pictures from labels ('generate').")
flags.DEFINE_bool("overwrite", False, "Replace a model at --out_dir.")
flags.DEFINE_string("publish", "", "Folder of versions to add the model to.")
flags.DEFINE_enum("format", "saved_model", list(model_folder.FILES), "What to write.")
flags.DEFINE_bool(
    "quantize",
    False,
    "TFLite with int8 weights; prints the test scores with and without.",
)
flags.DEFINE_string(
    "calibrate_on",
    confidence.AUTO,
    "Split whose labels calibrate the confidence; auto: valid's if it has the labels "
    "that were learned, else train's; none: leave it as it is.",
)
flags.DEFINE_enum(
    "test_averaging",
    None,
    list(CHOICES["test_averaging"]),
    "What answers are the mean of: 1, 2 or 6 views, which take as many times as long; "
    "the run's own if not given.",
)
flags.DEFINE_string("data_dir", "", "Prepared data set; the run's own if empty.")


def _use_of_run() -> remote.Use:
    written = not FLAGS.out_dir and not FLAGS.publish
    return remote.CHANGE_RUN if written else remote.READ_RUN


STORES = {
    "run": _use_of_run,
    "out_dir": remote.WRITE_MODEL,
    "publish": remote.AS_IT_IS,
    "data_dir": remote.READ_DATA,
}


def main(argv: Sequence[str]) -> None:
    """Exports the run of the flags.

    Raises:
      UserError: wrong use, no run, or the place is taken.
    """
    if len(argv) > 1:
        raise UserError(f"kfer-export takes flags only, got {' '.join(argv[1:])!r}")
    if not FLAGS.run:
        raise UserError("Name the --run to export")
    _check_flags()
    run_folder.load_config(FLAGS.run)
    if FLAGS.publish and not FLAGS.out_dir:
        with tempfile.TemporaryDirectory() as folder:
            _export(os.path.join(folder, run_folder.MODEL))
        return
    _export(FLAGS.out_dir or os.path.join(FLAGS.run, run_folder.MODEL))


def _check_flags() -> None:
    served = FLAGS.format == "saved_model"
    data_read = FLAGS.quantize or FLAGS.calibrate_on != confidence.NONE
    wrong = {
        "--quantize is for --format=tflite": FLAGS.quantize
        and FLAGS.format != "tflite",
        "--with_decoder is for --format=saved_model": FLAGS.with_decoder and not served,
        "--publish is for --format=saved_model": FLAGS.publish and not served,
        f"--format={FLAGS.format} needs an --out_dir": not served and not FLAGS.out_dir,
        "--overwrite needs an --out_dir: versions are never replaced": FLAGS.overwrite
        and FLAGS.publish
        and not FLAGS.out_dir,
        "--data_dir is not read with --calibrate_on=none": FLAGS.data_dir
        and not data_read,
    }
    for text, holds in wrong.items():
        if holds:
            raise UserError(text)


def _export(out_dir: str) -> None:
    model_folder.check_target(out_dir, FLAGS.overwrite)
    common.import_tensorflow()
    before = _score_run() if FLAGS.quantize else ""
    exported = export.export_run(
        FLAGS.run,
        out_dir,
        FLAGS.with_decoder,
        FLAGS.overwrite,
        FLAGS.calibrate_on,
        FLAGS.data_dir,
        FLAGS.format,
        FLAGS.quantize,
        FLAGS.test_averaging or "",
    )
    path = publish.publish(out_dir, FLAGS.publish) if FLAGS.publish else out_dir
    shown = exported.describe()
    if not FLAGS.out_dir and FLAGS.publish:
        shown = shown.replace(out_dir, path, 1)
    elif FLAGS.publish:
        shown += f"\nPublished as {path}"
    print(shown)
    print(f"Latency here: {latency.describe(export.latency_of(out_dir))}")
    if FLAGS.quantize:
        print(f"test, as trained, not calibrated: {before}")
        print(f"test, quantized: {_score_model(path)}")


def _score_run() -> str:
    from kfer.evaluation import scoring
    from kfer.metrics import suite

    views = FLAGS.test_averaging or ""
    scored = scoring.evaluate_run(FLAGS.run, FLAGS.data_dir, test_averaging=views)
    return suite.summary_line(scored["scores"])


def _score_model(path: str) -> str:
    from kfer.evaluation import scoring
    from kfer.metrics import suite
    from kfer.serving import model_scores

    root = scoring.load_data(FLAGS.run, FLAGS.data_dir).root
    return suite.summary_line(model_scores.evaluate_model(path, root)["scores"])


def entry() -> None:
    """The console command kfer-export."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

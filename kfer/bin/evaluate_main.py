"""Scores a run's newest checkpoint, or an exported model, against clean labels.

kfer-evaluate --run=DIR [--data_dir=DIR] [--split=NAME] [--out=FILE]
    [--slice_by=COLUMN,... [--report]]
kfer-evaluate --model=DIR --data_dir=DIR [flags]
"""

from collections.abc import Sequence

from absl import flags

from kfer.bin import common, remote
from kfer.data import dataset as dataset_lib
from kfer.errors import UserError
from kfer.evaluation import report, results, scoring
from kfer.serving import model_folder, model_scores
from kfer.settings.optimization import CHOICES
from kfer.storage import whole
from kfer.training import run_folder

FLAGS = flags.FLAGS

flags.DEFINE_string("run", "", "Folder of the run, the --out_dir of kfer-train.")
flags.DEFINE_string("model", "", "A SavedModel of kfer-export, instead of --run.")
flags.DEFINE_string("data_dir", "", "Prepared data set; the run's own if empty.")
flags.DEFINE_string(
    "split", "", "Split to score on; empty: what has a truth, else labels held out."
)
flags.DEFINE_enum(
    "against",
    "auto",
    ["auto", "truth", "labels"],
    "Compare with the truth, or with labels: how often the model agrees with "
    "annotators; auto: the truth where there is any.",
)
flags.DEFINE_list(
    "slice_by",
    [],
    "Class columns, such as gender,pose: scores of each class by itself, with 95 % "
    "intervals.",
)
flags.DEFINE_bool(
    "report", False, "Put the slices into the run's metrics.json and report.html."
)
flags.DEFINE_string("out", "", "JSON file to write all scores to.")
flags.DEFINE_string("predictions", "", ".npz file to write predictions and truth to.")
flags.DEFINE_enum(
    "test_averaging",
    None,
    list(CHOICES["test_averaging"]),
    "What answers are the mean of, with --run; the run's own if not given.",
)
flags.DEFINE_integer("batch_size", 0, "Images at a time; 0 chooses.", lower_bound=0)


STORES = {
    "run": lambda: remote.CHANGE_RUN if FLAGS.report else remote.READ_RUN,
    "model": remote.READ_MODEL,
    "data_dir": remote.READ_DATA,
    "out": remote.WRITE_FILE,
    "predictions": remote.WRITE_FILE,
}


def main(argv: Sequence[str]) -> None:
    """Evaluates what the flags name.

    Raises:
      UserError: wrong use, no run or model, no data, or no clean labels in the split.
    """
    if len(argv) > 1:
        raise UserError(f"kfer-evaluate takes flags only, got {' '.join(argv[1:])!r}")
    if bool(FLAGS.run) == bool(FLAGS.model):
        raise UserError("Name either a --run or a --model to score")
    if FLAGS.model and not FLAGS.data_dir:
        raise UserError("Name the --data_dir to score the model on")
    if FLAGS.model and FLAGS.test_averaging:
        raise UserError(
            "A model's --test_averaging is part of it; export the run again with it"
        )
    if FLAGS.report and not (FLAGS.run and FLAGS.slice_by):
        raise UserError("--report shows slices of a run; add --run and --slice_by")
    if FLAGS.report and FLAGS.test_averaging:
        raise UserError("--report shows a run with its own --test_averaging; use --out")
    _check_folders()
    common.import_tensorflow()
    how = (
        FLAGS.data_dir,
        FLAGS.split,
        FLAGS.batch_size,
        FLAGS.predictions,
        "" if FLAGS.against == "auto" else FLAGS.against,
        FLAGS.slice_by,
    )
    if FLAGS.run:
        result = scoring.evaluate_run(FLAGS.run, *how, FLAGS.test_averaging or "")
    else:
        result = model_scores.evaluate_model(FLAGS.model, *how)
    print(results.describe(result))
    if FLAGS.out:
        whole.write_json(FLAGS.out, result)
    if FLAGS.report:
        print(report.write_slices(FLAGS.run, result))


def _check_folders() -> None:
    """What is wrong is said before TensorFlow is loaded."""
    if FLAGS.run:
        run_folder.load_config(FLAGS.run)
        dataset = scoring.load_data(FLAGS.run, FLAGS.data_dir)
    else:
        model_folder.read_description(FLAGS.model)
        dataset = dataset_lib.load(FLAGS.data_dir)
    if FLAGS.split:
        dataset.split(FLAGS.split)


def entry() -> None:
    """The console command kfer-evaluate."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Says what the labels of a prepared data set tell about its annotators.

kfer-audit --data_dir=DIR [--out_dir=DIR] [--split=train]
kfer-audit --data_dir=DIR --run=RUN [--corrected_data_dir=DIR] [flags]
kfer-audit apply --data_dir=DIR --decisions=FILE --corrected_data_dir=DIR

Prints noise, agreement and confusion; with --out_dir also writes audit.html, audit.json
and consensus.csv. With --run a trained model judges every label: how suspicious it is,
what it should be (corrected.csv) and how reliable annotators are (docs/guide/audit.md).
`apply` makes the data set that people decided for (kfer-serve --ui --audit_dir).
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from kfer.bin import common, remote
from kfer.errors import UserError

FLAGS = flags.FLAGS


def _use_of_out_dir() -> remote.Use:
    from kfer.audit import files

    return remote.change_folder(files.JSON)


STORES = {
    "data_dir": remote.READ_DATA,
    "run": remote.READ_RUN,
    "decisions": remote.READ,
    "out_dir": _use_of_out_dir,
    "corrected_data_dir": remote.WRITE_DATA,
}

_SCORES = ("model", "model+annotators")

flags.DEFINE_string("data_dir", "", "A prepared data set.")
flags.DEFINE_string("out_dir", "", "Folder for the files; none are written if empty.")
flags.DEFINE_string("split", "train", "Whose labels are audited.")
flags.DEFINE_string("run", "", "A run of kfer-train, whose model judges the labels.")
flags.DEFINE_integer("step", 0, "Of the run's checkpoint; 0: the newest.", 0)
flags.DEFINE_enum(
    "score",
    None,
    _SCORES,
    "What proposes classes; model+annotators unless there is but one annotator.",
)
flags.DEFINE_float(
    "threshold", 0.5, "Probability of being wrong that changes a class.", 0.0, 1.0
)
flags.DEFINE_string(
    "corrected_data_dir", "", "Folder for a copy of the data set, labels corrected."
)

flags.DEFINE_string("decisions", "", "With apply: a file of decisions.")

_OF_AUDIT = ("out_dir", "run", "step", "score", "threshold")
_OF_RUN = ("step", "score", "threshold", "corrected_data_dir")


def main(argv: Sequence[str]) -> None:
    """Audits, prints and writes.

    Raises:
      UserError: wrong use, or see audit.audit, judgement.judge and files.write.
    """
    if argv[1:] == ["apply"]:
        print(_apply())
        return
    if len(argv) != 1:
        raise UserError(f"kfer-audit takes flags only, got {' '.join(argv[1:])!r}")
    _check()
    common.import_tensorflow()
    from kfer.audit import audit, files, tables

    found = audit.audit(FLAGS.data_dir, FLAGS.split, common.command_line())
    judged, shown, copy = None, [], ""
    if FLAGS.run:
        found, judged, shown = _judge(found)
    print(tables.text(found.summary))
    if FLAGS.corrected_data_dir:
        copy = _write_data(found, judged)
    paths = [copy] if copy else []
    if FLAGS.out_dir:
        paths += files.write(FLAGS.out_dir, found, judged, shown)
    if paths:
        print("", *paths, sep="\n")


def _check() -> None:
    """Wrong use is told at once, before TensorFlow is loaded."""
    if not FLAGS.data_dir:
        raise UserError("kfer-audit needs --data_dir, a prepared data set")
    if FLAGS.decisions:
        raise UserError("--decisions is for kfer-audit apply")
    if not FLAGS.run and (given := [n for n in _OF_RUN if FLAGS[n].present]):
        raise UserError(f"--{given[0]} needs --run, the model that judges")
    from kfer.data import dataset, folder
    from kfer.training import run_folder

    dataset.load(FLAGS.data_dir).split(FLAGS.split)
    if FLAGS.run:
        run_folder.load_config(FLAGS.run)
    if FLAGS.corrected_data_dir:
        folder.check_target(FLAGS.corrected_data_dir)


def _judge(found: Any) -> tuple[Any, Any, list[dict[str, Any]]]:
    """The audit with the model's part, that part, and what the page shows."""
    from kfer.audit import answers, judgement, suspects
    from kfer.data import dataset as dataset_lib

    dataset = dataset_lib.load(FLAGS.data_dir)
    given = answers.collect(FLAGS.run, dataset, FLAGS.split, found.sets, FLAGS.step)
    judged = judgement.judge(found, given, FLAGS.score or "", FLAGS.threshold)
    found = found._replace(summary=found.summary | {"model": judged.summary})
    shown = []
    if FLAGS.out_dir:
        shown = suspects.shown(dataset, FLAGS.split, found.sets, judged)
    return found, judged, shown


def _write_data(found: Any, judged: Any) -> str:
    """The corrected copy of the data set; its path, or '' if nothing is proposed."""
    from kfer.audit import corrections
    from kfer.data import dataset as dataset_lib
    from kfer.data import rewrite

    changes = corrections.of_judgement(found.sets, judged.rankings)
    changes |= {name: crowd.proposed for name, crowd in judged.crowds.items()}
    if not any(changes.values()):
        print(f"\nNothing is proposed, so {FLAGS.corrected_data_dir} isn't written")
        return ""
    provenance = {
        "command": common.command_line(),
        "commit": found.summary["provenance"]["commit"],
        "split": FLAGS.split,
        "run": judged.summary["run"],
        "changed": {name: len(rows) for name, rows in changes.items()},
    }
    return rewrite.with_corrections(
        dataset_lib.load(FLAGS.data_dir),
        FLAGS.split,
        changes,
        FLAGS.corrected_data_dir,
        provenance,
    ).root


def _apply() -> str:
    """The corrected copy that the decisions make; its path, or that nothing changes."""
    needed = ("data_dir", "decisions", "corrected_data_dir")
    if missing := [name for name in needed if not FLAGS[name].value]:
        raise UserError(f"kfer-audit apply needs --{missing[0]}")
    if unread := [name for name in _OF_AUDIT if FLAGS[name].present]:
        raise UserError(f"kfer-audit apply takes no --{unread[0]}")
    from kfer.audit import applying
    from kfer.data import folder

    folder.check_target(FLAGS.corrected_data_dir)
    common.import_tensorflow()
    return applying.apply(
        FLAGS.data_dir,
        FLAGS.split,
        FLAGS.decisions,
        FLAGS.corrected_data_dir,
        common.command_line(),
    )


def entry() -> None:
    """The console command kfer-audit."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Turns an annotated face folder into a prepared data set, with Apache Beam.

  kfer-preprocess --dataset=NAME --source_dir=RAW --out_dir=DIR [flags] [Beam's flags]

Beam's own flags pass through: --runner=FlinkRunner, --direct_num_workers=2, ... Without
any the job runs in this process, and Beam isn't loaded.
"""

import contextlib
import copy
import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from absl import app, flags, logging

from kfer.bin import common, remote, table_flags
from kfer.data import datasets, verification
from kfer.errors import UserError
from kfer.faces import detectors, framing

FLAGS = flags.FLAGS

flags.DEFINE_string("dataset", "", f"One of {', '.join(datasets.DATASETS)}.")
flags.DEFINE_string("source_dir", "", "Folder of the raw data set.")
flags.DEFINE_string("out_dir", "", "Folder to make; must not exist or be empty.")
flags.DEFINE_bool("overwrite", False, "Replace a data set at --out_dir.")
flags.DEFINE_bool("verify", False, "Read everything back and check it.")
flags.DEFINE_integer("image_size", 64, "Side of the stored pictures in pixels.")
flags.DEFINE_enum("image_format", "jpeg", ["jpeg", "png"], "Of the stored pictures.")
flags.DEFINE_integer("jpeg_quality", 95, "1 to 100.")
flags.DEFINE_enum(
    "framing",
    None,
    framing.FRAMINGS,
    "How models of it are shown faces, noted in dataset.json: whole pictures, crops as "
    "they came or as --detector finds them, or eyes at their places. Told by what was "
    "done with the pictures if left out.",
)
flags.DEFINE_enum(
    "alignment",
    None,
    ["eyes", "authors_2021", "box", "none"],
    "Eye centres to (0.3, 0.3)/(0.7, 0.3), the default; the same as in the 2021 code; "
    "the face's box, upright; or the picture's centred square.",
)
flags.DEFINE_bool(
    "detect_eyes",
    True,
    "Look for faces where the data set gives no eyes (not in its crops).",
)
flags.DEFINE_enum(
    "detector", detectors.DEFAULT, sorted(detectors.DETECTORS), "Finds the faces."
)
flags.DEFINE_integer("max_pixels", 50_000_000, "Larger ones go; JPEGs are reduced.")
flags.DEFINE_integer("min_side", 8, "Smaller pictures are set aside.")
flags.DEFINE_float(
    "max_rejected",
    0.05,
    "Share of faulty rows at which the job stops without a data set.",
)
flags.DEFINE_bool(
    "remove_leaks", True, "Set aside test (valid) pictures that also stand in train."
)
flags.DEFINE_bool(
    "remove_near_copies",
    False,
    "Also set aside those that look alike: mirrored, brighter, rescaled, re-encoded.",
)
flags.DEFINE_integer(
    "num_classes", None, "Expressions, 7 or 8 with contempt; 8 for ferplus, else 7."
)
flags.DEFINE_integer("num_annotators", 3, "Votes to sample where there are votes.")
flags.DEFINE_bool(
    "official_test",
    False,
    "Score as FER+'s authors do, on all pictures with a majority; train loses what the "
    "other splits have of it, not they.",
)
flags.DEFINE_float(
    "va_from_votes",
    None,
    "Also make valence and arousal from the votes; the labels' with Gaussian noise of "
    "this standard deviation.",
    lower_bound=0.0,
)
flags.DEFINE_integer("num_train", None, "The first so many training pictures alone.")
flags.DEFINE_integer("num_valid", None, "The same for the split valid.")
flags.DEFINE_integer("num_test", None, "The same for the split test.")
flags.DEFINE_list("machine_labels", [], "A machine's label files, joined by image id.")
flags.DEFINE_integer("seed", 0, "Of sampled votes and simulated noise.")
flags.DEFINE_integer(
    "processes", 0, "That decode, for the in-memory runner; 0: one for each core."
)
flags.DEFINE_enum(
    "noise",
    "none",
    ["none", "exclusive", "inclusive", "pairs", "confusion"],
    "Noise on the training labels; a label set annotator_1.. for each rate or matrix.",
)
flags.DEFINE_list("noise_rates", [], "Such as 0.2,0.3,0.4.")
flags.DEFINE_string("noise_pairs", "", "Such as 'disgust>anger,fear>surprise'.")
flags.DEFINE_string(
    "confusion_matrices", "", "JSON file [annotators, K, K], rows are the truth."
)
flags.DEFINE_multi_string(
    "va_noise", [], "One annotator each, such as 'std=0.1,bias=0.05:-0.1,swap=0.02'."
)
flags.DEFINE_bool("majority_vote", False, "Add the annotators' majority as a column.")

_READ = ("source_dir", "machine_labels", "confusion_matrices")
STORES = dict.fromkeys(_READ, remote.READ) | {"out_dir": remote.WRITE_DATA}

DEFAULT_CLASSES = {"ferplus": 8}

# Flags that other readers would ignore.
ONLY_FOR = {
    "machine_labels": ("raf", "affectnet"),
    "num_annotators": ("ferplus",),
    "va_from_votes": ("ferplus",),
    "official_test": ("ferplus",),
}


def job_from_flags(beam_args: Sequence[str]):
    """The job that the flags describe; UserError if one is missing or senseless."""
    from kfer.preprocess import job, parallel

    _check_flags()
    return job.Job(
        FLAGS.dataset,
        FLAGS.source_dir,
        os.path.normpath(FLAGS.out_dir),
        _options(),
        _settings(),
        framing=FLAGS.framing or "",
        noise=_noise(),
        remove_leaks=FLAGS.remove_leaks,
        max_rejected=FLAGS.max_rejected,
        overwrite=FLAGS.overwrite,
        beam_args=tuple(beam_args),
        processes=FLAGS.processes or parallel.default_count(beam_args),
        command=common.command_line(),
    )


def _check_flags() -> None:
    for flag in ("dataset", "source_dir", "out_dir"):
        if not FLAGS[flag].value:
            raise UserError(f"kfer-preprocess needs --{flag}")
    for flag, known in ONLY_FOR.items():
        if FLAGS[flag].present and FLAGS.dataset not in known:
            raise UserError(f"--{flag} goes with {' and '.join(known)} alone")


def _noise() -> Any:
    from kfer.data import label_noise

    matrices = FLAGS.confusion_matrices
    return label_noise.LabelNoise(
        kind=FLAGS.noise,
        rates=common.numbers(FLAGS.noise_rates, "noise_rates"),
        pairs=label_noise.parse_pairs(FLAGS.noise_pairs),
        matrices=label_noise.read_matrices(matrices) if matrices else (),
        value_annotators=tuple(map(label_noise.parse_value_annotator, FLAGS.va_noise)),
        majority=FLAGS.majority_vote,
        column="class" if FLAGS.dataset.startswith("cifar10") else "expression",
        seed=FLAGS.seed,
    )


def _options() -> datasets.ReaderOptions:
    num_classes = FLAGS.num_classes or DEFAULT_CLASSES.get(FLAGS.dataset, 7)
    if num_classes not in (7, 8):
        raise UserError(f"--num_classes is 7 or 8, not {num_classes}")
    return datasets.ReaderOptions(
        seed=FLAGS.seed,
        num_annotators=FLAGS.num_annotators,
        va_noise=FLAGS.va_from_votes,
        official_test=FLAGS.official_test,
        limit=_limit(),
        machine_labels=",".join(FLAGS.machine_labels),
        num_classes=num_classes,
        image_size=FLAGS.image_size,
        table=_table(),
    )


def _settings() -> Any:
    from kfer.images import decode
    from kfer.preprocess import framed, transforms

    return transforms.Settings(
        FLAGS.source_dir,
        image_size=FLAGS.image_size,
        alignment=framed.alignment_of(
            FLAGS.framing or "", FLAGS.alignment or "", FLAGS["detector"].present > 0
        ),
        detect_eyes=FLAGS.detect_eyes,
        detector=FLAGS.detector,
        image_format=FLAGS.image_format,
        jpeg_quality=FLAGS.jpeg_quality,
        limits=decode.Limits(max_pixels=FLAGS.max_pixels, min_side=FLAGS.min_side),
    )


def _table() -> dict | None:
    """What the flags say of a table, for the readers that read one."""
    found = table_flags.options_from_flags()
    if found and FLAGS.dataset not in ("manifest", "table"):
        raise UserError(f"{sorted(found)[0]} goes with --dataset=manifest alone")
    return found or None


def _limit() -> dict[str, int] | None:
    counts = {s: FLAGS[f"num_{s}"].value for s in ("train", "valid", "test")}
    return {split: n for split, n in counts.items() if n is not None} or None


def check_beam_args(args: Sequence[str]) -> None:
    """Raises UserError for a flag that neither kfer-preprocess nor Beam knows.

    A job server may know more than Beam does, so this is for local runs alone.
    """
    from apache_beam.options.pipeline_options import (
        PipelineOptions,
        _BeamArgumentParser,
    )

    named = " ".join(arg for arg in args if arg.startswith("--runner")).lower()
    if "dask" in named:
        with contextlib.suppress(ImportError):  # job.check says what is missing
            importlib.import_module("apache_beam.runners.dask.dask_runner")
    elif named and "fnapi" not in named:
        return
    parser = _BeamArgumentParser(allow_abbrev=False)
    for options in PipelineOptions.__subclasses__():
        options._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(args))
    if unknown:
        known = [f"--{name}" for name in FLAGS]
        near = difflib.get_close_matches(unknown[0].split("=")[0], known, 1)
        hint = f"; did you mean {near[0]}?" if near else "; see --help"
        raise UserError(f"Unknown flag {unknown[0]}{hint}")


def main(argv: Sequence[str]) -> None:
    """Runs the job; argv holds what absl did not know: Beam's flags."""
    beam_args = list(argv[1:])
    if words := [arg for arg in beam_args if not arg.startswith("-")]:
        raise UserError(f"kfer-preprocess takes flags only, got {words[0]!r}")
    described = job_from_flags(beam_args)
    if beam_args:
        check_beam_args(beam_args)
    from kfer.preprocess import job

    job.check(described)
    common.import_tensorflow()
    dataset = job.run(described)
    dataset = common.say_near_copies(dataset, FLAGS.remove_near_copies)
    if FLAGS.verify:
        verification.verify(dataset)
        logging.info("verified: every record, label and hash")
    counts = {split: info.num_records for split, info in dataset.splits.items()}
    print(f"{dataset.root}: {counts}, hash {dataset.content_hash[:16]}")


def beam_flags_last(argv: Sequence[str]) -> list[str]:
    """The command line with what absl doesn't know behind '--', where absl leaves
    it."""
    app.define_help_flags()
    parser = copy.deepcopy(FLAGS)
    try:
        rest = parser(list(argv), known_only=True)[1:]
    except flags.Error:
        return list(argv)
    own, unknown = [], list(rest)
    for arg in argv[1:]:
        if unknown and arg == unknown[0]:
            unknown.pop(0)
        elif arg != "--":
            own.append(arg)
    return [argv[0], *own, *(["--", *rest] if rest else [])]


def entry() -> None:
    """The console command kfer-preprocess."""
    sys.argv = beam_flags_last(sys.argv)
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Learns drawn faces from noisy annotators: kfer beside plain cross entropy.

kfer-demo --out_dir=DIR

Runs the pipeline synthetic_faces (see kfer-pipeline): draws the faces, checks their
labels, trains both methods with the same compact network on the same noisy labels for
as many steps, scores them on the clean test split, and publishes kfer's model. Then
both learn again from two more seeds, as one run proves nothing. Run again, it goes on
where it stopped, or shows what it found.
"""

import dataclasses
import os
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from pipelines import config as pipeline_config

FLAGS = flags.FLAGS

flags.DEFINE_string("out_dir", "runs/demo", "Folder of everything.")
flags.DEFINE_integer("seed", 0, "Of the faces, the noise and the training.")
flags.DEFINE_integer("seeds", 3, "How many seeds both methods learn from.", 1)
flags.DEFINE_integer("epochs", 20, "Passes over the data.", 1)

BASELINE, PROPOSED = "vgg_all", "kfer"
_SETTINGS = {
    "method": PROPOSED,
    "backbone": "compact_xs",
    "width": 0.5,
    "optimization": "fast",
    "batch_size": 128,
    "learning_rate": 0.5,
}
# Target, measure, factor, decimals.
_SHOWN = (
    ("expression", "accuracy", 100.0, 1, "accuracy %"),
    ("expression", "ece", 1.0, 3, "ECE"),
    ("valence_arousal", "ccc", 1.0, 3, "CCC"),
)


def more_seeds(run_dir: str, method: str, out_dir: str, seeds: int) -> list[dict]:
    """The last scores of a run of the pipeline and of its twins with other seeds.

    Args:
      run_dir: of the pipeline.
      method: of the twins.
      out_dir: their folders come into it.
      seeds: how many in all.
    """
    from kfer import runs as runs_lib
    from kfer.evaluation import scoring
    from kfer.training import loop, run_folder

    config = run_folder.load_config(run_dir)
    total = config.epochs * (
        scoring.load_data(run_dir).split("train").num_records // config.batch_size
    )
    found = [scores_of(run_dir)]
    for number in range(1, seeds):
        seed = config.seed + number
        folder = os.path.join(out_dir, f"{method}_seed{seed}")
        twin = dataclasses.replace(config, seed=seed)
        settings = loop.RunSettings(eval_every=total)
        runs_lib.train(twin, scoring.load_data(run_dir), folder, settings)
        found.append(scores_of(folder))
    return found


def scores_of(run_dir: str) -> dict[str, Any]:
    """What metrics.json says of the last model."""
    from kfer.training import run_folder

    return run_folder.read_json(os.path.join(run_dir, run_folder.METRICS))["last"]


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Mean and standard deviation of each method's measures over its seeds."""
    lines = ["".join(f"{head:>18}" for head in ["", *(row[4] for row in _SHOWN)])]
    for method, runs in found.items():
        cells = [f"{method:>18}"]
        for target, measure, factor, digits, _ in _SHOWN:
            values = [factor * run["test"][target][measure] for run in runs]
            text = f"{statistics.mean(values):.{digits}f}"
            if len(values) > 1:
                text += f" +- {statistics.stdev(values):.{digits}f}"
            cells.append(f"{text:>18}")
        lines.append("".join(cells))
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise UserError(f"kfer-demo takes flags only, got {' '.join(argv[1:])!r}")
    fields = {**_SETTINGS, "seed": FLAGS.seed, "epochs": FLAGS.epochs}
    config = pipeline_config.named("synthetic_faces", fields)
    common.import_tensorflow()
    from kfer.training import outcome
    from pipelines import local_runner

    result = local_runner.run(config, FLAGS.out_dir)
    found = {}
    for method in (BASELINE, PROPOSED):
        run_dir = result.output(f"trainer_{method}", "model_run")
        print(f"\n{method}\n{outcome.summary(run_dir)}")
        folder = os.path.join(FLAGS.out_dir, "seeds")
        found[method] = more_seeds(run_dir, method, folder, FLAGS.seeds)
    print(f"\nThe last models of {FLAGS.seeds} seeds on the clean test split:")
    print(table(found))
    print(f"\nSavedModel  {result.model or result.verdict}")
    print(f"Report      {local_runner.report_of(result)}")
    return 0


def entry() -> None:
    """The console command kfer-demo."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

"""Learns drawn faces from noisy annotators: the proposed method beside a VGGNet.

kfer-demo --out_dir=DIR

Runs the pipeline synthetic_faces (see kfer-pipeline): draws the faces, checks their
labels, trains both methods on the same noisy labels for as many steps, scores them on
the clean test split, and publishes the proposed one. Run again, it goes on where it
stopped, or shows what it found.
"""

from collections.abc import Sequence

from absl import flags

from kfer.bin import common
from kfer.errors import UserError
from pipelines import config as pipeline_config

FLAGS = flags.FLAGS

flags.DEFINE_string("out_dir", "runs/demo", "Folder of everything.")
flags.DEFINE_integer("seed", 0, "Of the faces, the noise and the training.")
flags.DEFINE_integer("epochs", None, "Passes over the data; the experiment's if unset.")

BASELINE, PROPOSED = "vgg_all", "joint"


def main(argv: Sequence[str]) -> int:
    if len(argv) > 1:
        raise UserError(f"kfer-demo takes flags only, got {' '.join(argv[1:])!r}")
    fields = {"seed": FLAGS.seed}
    if FLAGS.epochs:
        fields["epochs"] = FLAGS.epochs
    config = pipeline_config.named("synthetic_faces", fields)
    common.import_tensorflow()
    from kfer.training import outcome
    from pipelines import local_runner

    result = local_runner.run(config, FLAGS.out_dir)
    for method in (BASELINE, PROPOSED):
        run_dir = result.output(f"trainer_{method}", "model_run")
        print(f"\n{method}\n{outcome.summary(run_dir)}")
    print(f"\nSavedModel  {result.model or result.verdict}")
    print(f"Report      {local_runner.report_of(result)}")
    return 0


def entry() -> None:
    """The console command kfer-demo."""
    common.run(main, tensorflow=False)


if __name__ == "__main__":
    entry()

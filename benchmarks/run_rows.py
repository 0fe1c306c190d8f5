"""The scores of training runs as CSV, a row for each number of each evaluation.

python benchmarks/run_rows.py RUN RUN ... > FILE.csv

RUN is a folder that `kfer-train` wrote. The files in docs/results that no table of
`kfer-experiments` is behind are made so. `seconds` and `pflop` are of training up to
that evaluation; `command` has DATA and RUN for its folders.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence

from kfer.bin import common
from kfer.errors import UserError
from kfer.evaluation import results
from kfer.experiments import results as tables
from kfer.metrics import suite


@dataclasses.dataclass(frozen=True)
class Row:
    """One number, and what it was measured on."""

    method: str
    recipe: str
    seed: int
    step: int
    target: str
    measure: str
    value: float
    commit: str
    seconds: float
    pflop: float | None
    command: str


def rows(run: results.Run) -> Iterator[Row]:
    """Of one run, in order of its evaluations.

    Raises:
      UserError: it has none.
    """
    scored = [evaluation for evaluation in run.history if evaluation["test"]]
    if not scored:
        raise UserError(f"{run.folder}: no evaluation; train it to its end")
    for evaluation in scored:
        spent = tables.cost(run, evaluation["step"])
        for target, scores in evaluation["test"].items():
            for measure in suite.measures(scores):
                yield Row(
                    run.config.method,
                    run.config.recipe.name,
                    run.config.seed,
                    evaluation["step"],
                    target,
                    measure,
                    scores[measure],
                    run.versions["commit"],
                    **spent,
                    command=portable(run.versions["command"]),
                )


def portable(command: str) -> str:
    """Without this machine's folders, as one would type it."""
    command = re.sub(r"^\S*train_main\.py", "kfer-train", command)
    command = re.sub(r"--data_dir=('[^']*'|\S+)", "--data_dir=DATA", command)
    return re.sub(r"--out_dir=('[^']*'|\S+)", "--out_dir=RUN", command)


def main(argv: Sequence[str]) -> None:
    if len(argv) < 2:
        raise UserError("name at least one run folder")
    # All are read before the first is written: half a file is none.
    found = [row for folder in argv[1:] for row in rows(results.load_run(folder))]
    print(tables.as_csv(Row, found), end="")


if __name__ == "__main__":
    common.run(main)

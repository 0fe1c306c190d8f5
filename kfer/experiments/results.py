"""What the cells gave: one tidy file, a row for each number."""

import csv
import dataclasses
import io
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kfer.evaluation import results as runs_lib
from kfer.experiments import runner
from kfer.experiments.cells import Cell
from kfer.experiments.runner import Plan
from kfer.metrics import suite
from kfer.settings import config as config_lib
from kfer.storage import whole

FILE = "results.csv"
LAST, BEST = "last", "best"


@dataclasses.dataclass(frozen=True)
class Row:
    """One number of one cell, or why it has none.

    Attributes:
      scale, recipe, setting, method, seed: the cell.
      status: 'done', 'failed', 'skipped' or 'not run'.
      which: 'last' or 'best' model; best is chosen on the test split itself.
      step: of that model.
      target: what is predicted.
      measure: of kfer.metrics.suite.
      value: in the measure's own unit; None where there is nothing to measure.
      reason: of a cell without numbers.
      commit: of kfer, with '+' if its sources were changed.
      config_hash, data_hash: of the run's settings and of the data set.
      seconds, pflop: of training up to that model, without evaluations; None of PFLOP
        where the run noted none.
      images_per_second: mean of the whole run's training.
      machine: what it ran on.
      command: that made it, with DIR and RAW for the plan's folders.
    """

    scale: str
    recipe: str
    setting: str
    method: str
    seed: int
    status: str
    which: str = ""
    step: int = 0
    target: str = ""
    measure: str = ""
    value: float | None = None
    reason: str = ""
    commit: str = ""
    config_hash: str = ""
    data_hash: str = ""
    seconds: float = 0.0
    pflop: float | None = None
    images_per_second: float = 0.0
    machine: str = ""
    command: str = ""


def collect(plan: Plan, cells: Iterable[Cell]) -> list[Row]:
    """The rows of all cells, those without a result too."""
    return [row for cell in cells for row in _rows(plan, cell)]


def _rows(plan: Plan, cell: Cell) -> Iterator[Row]:
    state = runner.state(plan, cell)
    base = Row(
        plan.scale.name,
        plan.recipe,
        cell.setting,
        cell.method,
        cell.seed,
        state["status"],
        reason=portable(state["reason"], plan),
        machine=state.get("machine", ""),
        command=portable(state.get("command", ""), plan),
    )
    if state["status"] != runner.DONE:
        yield base
        return
    run = runs_lib.load_run(plan.folder(cell))
    base = dataclasses.replace(
        base,
        commit=run.versions["commit"],
        config_hash=config_lib.config_hash(run.config),
        data_hash=run.versions["data"]["content_hash"],
        images_per_second=round(run.images_per_second, 1),
        command=base.command or portable(run.versions["command"], plan),
    )
    for which in (LAST, BEST):
        result = run.result(which)
        assert result is not None  # done means scored
        spent = cost(run, result["step"])
        for target, scores in result["test"].items():
            for measure in suite.measures(scores):
                yield dataclasses.replace(
                    base,
                    which=which,
                    **spent,
                    step=result["step"],
                    target=target,
                    measure=measure,
                    value=scores[measure],
                )


def further_flags(row: Row) -> tuple[str, ...]:
    """What a row's training was given beyond its cell: the runner's --train_flag."""
    words = shlex.split(row.command)
    own = [i for i, word in enumerate(words) if word.startswith("--out_dir=")]
    return tuple(words[own[-1] + 1 :]) if own else ()


def cost(run: runs_lib.Run, step: int) -> dict[str, Any]:
    """'seconds' and 'pflop' of training up to a step, as rows have them."""
    seconds, pflop = run.cost_of(step)
    return {"seconds": round(seconds, 1), "pflop": pflop and float(f"{pflop:.3g}")}


def portable(text: str, plan: Plan) -> str:
    """Without this machine's folders: DIR for the plan's, RAW for the raw data's."""
    for folder, name in ((plan.out_dir, "DIR"), (plan.data_root, "RAW")):
        if folder:
            text = re.sub(_as_a_path(folder), name, text)
    return text


def _as_a_path(folder: str) -> str:
    """A pattern of a folder where it is no part of another word or path."""
    # A folder `data` is no part of --data_dir, and no word of a message.
    end = r"(?![\w-]|\.\w)" if "/" in folder else "(?=/)"
    return rf"(?<![\w./-]){re.escape(folder.rstrip('/'))}{end}"


def write(path: str, rows: Sequence[Row]) -> str:
    """Writes the rows as CSV with a header, whole or not at all; returns the path."""
    whole.write_text(path, as_csv(Row, rows))
    return path


def as_csv(kind: type, rows: Iterable[Any]) -> str:
    """Rows of a dataclass as CSV with a header."""
    buffer = io.StringIO()
    names = [field.name for field in dataclasses.fields(kind)]
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(dataclasses.asdict(row) for row in rows)
    return buffer.getvalue()

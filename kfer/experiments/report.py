"""A table's report: Markdown beside its figures, and one HTML page."""

import os
import shlex
from collections.abc import Sequence
from typing import Any

from kfer.evaluation import results as runs_lib
from kfer.evaluation.report import uri
from kfer.experiments import figures, results, runner, summary
from kfer.experiments.cells import SETTINGS
from kfer.experiments.results import Row
from kfer.experiments.runner import Plan
from kfer.experiments.table import Table
from kfer.storage import whole

FORMATS = ("md", "html")
_FURTHER = (
    " Some cells were trained with further flags; results.csv has each one's command."
)


def write(
    plan: Plan, table: Table, seeds: Sequence[int], rows: Sequence[Row], out_dir: str
) -> list[str]:
    """Writes <table>.md, <table>.html and the figures; returns their paths.

    Args:
      plan: whose cells are shown.
      table: to show.
      seeds: that were asked for.
      rows: of results.collect, of at least this table's cells.
      out_dir: made if it isn't there.
    """
    name = f"table-{table.name}" if table.name.isdigit() else table.name
    content, paths = _content(plan, table, seeds, rows) | {"figures": []}, []
    for file, caption, png in figures.of_table(plan, table, seeds):
        paths.append(os.path.join(out_dir, f"{name}-{file}"))
        whole.write_bytes(paths[-1], png)
        content["figures"].append(
            {"file": f"{name}-{file}", "caption": caption, "uri": uri(png)}
        )
    for form in FORMATS:
        paths.append(os.path.join(out_dir, f"{name}.{form}"))
        whole.write_text(paths[-1], _render(f"experiments.{form}", content))
    return paths


def _render(template: str, content: dict[str, Any]) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kfer.experiments", "templates"),
        autoescape=template.endswith("html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(content)


def _content(
    plan: Plan, table: Table, seeds: Sequence[int], rows: Sequence[Row]
) -> dict[str, Any]:
    lines = [
        (line, line.last.seeds if line.last else 0)
        for line in summary.lines(table, rows)
    ]
    used = dict.fromkeys(entry.setting for entry in table.entries)
    flags, differ = _train_flags(_of(table, rows))
    return {
        "table": table,
        "plan": plan,
        "seeds": seeds,
        "command": _command(plan, table, seeds, flags),
        "further": _FURTHER if differ else "",
        "lines": [
            {
                "row": line.row,
                "head": line.head,
                "last": summary.shown(line.entry, line.last),
                "best": summary.shown(line.entry, line.best),
                "gap": summary.gap_shown(line.entry, line.gap, seeds_of),
                "seconds": summary.mean_shown(line.seconds),
                "pflop": summary.mean_shown(line.pflop),
                "printed": summary.printed(line.entry),
                "seeds": seeds_of,
                "machine": "; ".join(line.machines),
            }
            for line, seeds_of in lines
        ],
        "labels": {
            SETTINGS[name].about: _labels_own(plan, name, rows) for name in used
        },
        "without": summary.without_result(table, rows),
        "commits": sorted({row.commit for row in _of(table, rows) if row.commit}),
    }


def _of(table: Table, rows: Sequence[Row]) -> list[Row]:
    mine = {(entry.setting, entry.method) for entry in table.entries}
    return [row for row in rows if (row.setting, row.method) in mine]


def _labels_own(plan: Plan, setting: str, rows: Sequence[Row]) -> dict[str, str]:
    """Of the data that a setting's finished cells learned from."""
    for row in rows:
        if row.setting == setting and row.status == runner.DONE:
            cell = runner.Cell(row.setting, row.method, row.seed)
            run = runs_lib.load_run(plan.folder(cell))
            return summary.labels_own(runs_lib.label_noise(run))
    return {}


def _train_flags(rows: Sequence[Row]) -> tuple[list[str], bool]:
    """What all finished rows' trainings were given, and whether some had more."""
    given = {results.further_flags(row) for row in rows if row.status == runner.DONE}
    every = [flag for flag in max(given, default=()) if all(flag in g for g in given)]
    return every, len(given) > 1


def _command(
    plan: Plan, table: Table, seeds: Sequence[int], flags: Sequence[str]
) -> str:
    words = [
        f"kfer-experiments run --table={table.name} --scale={plan.scale.name}",
        f"--seeds={len(seeds)}",
        f"--first_seed={seeds[0]}" if seeds[0] else "",
        f"--data_seed={plan.data_seed}" if plan.data_seed else "",
        "" if plan.recipe == "kfer" else f"--recipe={plan.recipe}",
        f"--methods={','.join(table.methods)}" if table.methods else "",
        "--data_root=RAW",
        *(f"--train_flag={shlex.quote(flag)}" for flag in flags),
    ]
    return " ".join(filter(None, words))

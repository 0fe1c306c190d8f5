"""A run as one HTML page: what was asked, what came out, curves and pictures."""

import base64
import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from kfer import tasks as tasks_lib
from kfer.errors import UserError
from kfer.evaluation import figures, slices, verdict
from kfer.evaluation.results import Run, label_noise, load_run
from kfer.evaluation.yardstick import Yardstick
from kfer.settings.config import ExperimentConfig
from kfer.storage import whole
from kfer.training import run_folder

PAGE = "report.html"

# Measure -> whether it is a share, by the kind of target.
_OF_CLASSES = {
    "accuracy": True,
    "mean_class_accuracy": True,
    "macro_f1": False,
    "ece": False,
}
_OF_VALUES = {"ccc": False, "pcc": False, "rmse": False, "mse": False, "sagr": True}


def write_report(out_dir: str, rivals: Sequence[str] = ()) -> str:
    """Writes the page of a run into its folder.

    Args:
      out_dir: the run's folder.
      rivals: other runs to show beside it in the tables and in the curves.

    Returns:
      The page's path.

    Raises:
      UserError: a folder is no run, is damaged, or can't be written to.
    """
    path = os.path.join(out_dir, PAGE)
    whole.write_text(path, render(out_dir, rivals))
    return path


def write_slices(out_dir: str, result: Mapping[str, Any]) -> str:
    """Puts slices into a run's metrics.json and its page; the page's path.

    They stay there until the run is trained further. The page shows the run alone.

    Args:
      out_dir: the run's folder.
      result: of kfer.evaluation.scoring.evaluate_run with slices.

    Raises:
      UserError: the slices are of other data than the run's own, the run has no
        metrics.json yet, or the folder can't be written to.
    """
    run = load_run(out_dir)
    own = run.versions.get("data", {}).get("content_hash")
    if result["data"]["content_hash"] != own:
        raise UserError(
            f"{out_dir} was trained with another data set than "
            f"{result['data']['root']}; its page shows its own alone: use --out"
        )
    if not run.metrics:
        raise UserError(f"{out_dir} has not ended yet, so it has no page; use --out")
    kept = {key: result[key] for key in ("step", "split", "against", "slices")}
    path = os.path.join(out_dir, run_folder.METRICS)
    whole.write_json(path, run.metrics | {"sliced": kept})
    return write_report(out_dir)


def render(
    out_dir: str, rivals: Sequence[str] = (), back: str = "", published: str = ""
) -> str:
    """The page that write_report writes, as text.

    Args:
      out_dir, rivals: see write_report.
      back: address of a page that leads here; '' for none.
      published: says where the judged model was published; '' if that is not known.

    Raises:
      UserError: a folder is no run or is damaged.
    """
    import jinja2

    runs = _distinct([load_run(folder) for folder in (out_dir, *rivals)])
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("kfer.evaluation", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(PAGE).render(
        _content(runs), back=back, published=published
    )


def _distinct(runs: Sequence[Run]) -> list[Run]:
    """Runs of one label get their folder's name too."""
    labels = [run.label for run in runs]
    return [
        dataclasses.replace(run, label=f"{run.label} ({run.folder})")
        if labels.count(run.label) > 1
        else run
        for run in runs
    ]


def _content(runs: Sequence[Run]) -> dict[str, Any]:
    run = runs[0]
    drawn = figures.of(runs)
    return {
        "run": run,
        "runs": runs,
        "settings": settings(run.config),
        "scored_on": run.scored_on.describe(),
        "verdict": verdict.content(run.evaluation),
        "tables": [_table(runs, target) for target in run.targets],
        "sliced": _slices(run.metrics.get("sliced", {})),
        "figures": [{"title": t, "uri": uri(png)} for t, png in drawn],
        "samples": [{"title": t, "uri": uri(png)} for t, png in figures.samples(run)],
        "noise": [_noise_row(*item) for item in label_noise(run).items()],
        "seconds": run.seconds,
        "images_per_second": run.images_per_second,
    }


def uri(png: bytes) -> str:
    """A picture as text that a page can hold."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def settings(config: ExperimentConfig) -> dict[str, Any]:
    """The config as setting -> value, the recipe's and score weights' too."""
    found: dict[str, Any] = {}
    for name, value in dataclasses.asdict(config).items():
        if name == "tasks":
            continue
        rows = value if isinstance(value, dict) else {"": value}
        found |= {f"{name}.{key}".rstrip("."): part for key, part in rows.items()}
    return found


def _table(runs: Sequence[Run], target: str) -> dict[str, Any]:
    """The scores of one target: of exported models, then last ones, then best."""
    task = tasks_lib.task_of_target(runs[0].config.tasks)[target]
    measures = _OF_CLASSES if task.is_categorical else _OF_VALUES
    rows = []
    for which in (verdict.EXPORTED, "last", "best"):
        for run in runs:
            result = run.result(which)
            if result and target in result["test"]:
                scores = result["test"][target]
                cells = [number(scores[m], share) for m, share in measures.items()]
                cells += _by_dimension(scores)
                row = {"run": run.label, "which": which, "step": result["step"]}
                rows.append(row | {"cells": cells})
    heads = [name.replace("_", " ") for name in measures]
    heads += [] if task.is_categorical else [f"ccc {d}" for d in task.dimensions]
    last = runs[0].result("last")
    own = runs[0].brief(last["test"][target]) if last else ""
    beside = f" ({own})" if own and own != runs[0].scored_on.brief else ""
    return {"target": target + beside, "heads": heads, "rows": rows}


def _slices(sliced: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of slices; {} of a run without."""
    if not sliced:
        return {}
    compared = Yardstick.noted(sliced).describe()
    tables = slices.tables(sliced["slices"])
    return {"step": sliced["step"], "compared": compared, "tables": tables}


def _by_dimension(scores: Mapping[str, Any]) -> list[str]:
    return [number(row["ccc"]) for row in scores.get("by_dimension", {}).values()]


def number(value: float | None, share: bool = False) -> str:
    """A measure as the tables show it."""
    if value is None:
        return "n/a"
    return f"{100 * value:.2f} %" if share else f"{value:.4f}"


def _noise_row(column: str, row: Mapping[str, Any]) -> dict[str, Any]:
    asked = row.get("requested")
    if "achieved" in row:
        found = number(row["achieved"], True)
    else:
        found = "RMSE " + ", ".join(number(value) for value in row["rmse"])
    return {
        "column": column,
        "requested": "" if asked is None else number(asked, True),
        "achieved": found,
        "compared": row["compared"],
    }

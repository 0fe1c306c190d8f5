"""A run as one HTML page: what was asked, what came out, curves and pictures."""

import base64
import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kfer import tasks as tasks_lib
from kfer.errors import UserError
from kfer.evaluation import pictures, scoring, slices
from kfer.evaluation.pictures import Series
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
_LOSSES = ("loss", "gan_loss", "discriminator_loss")


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


def render(out_dir: str, rivals: Sequence[str] = (), back: str = "") -> str:
    """The page that write_report writes, as text.

    Args:
      out_dir, rivals: see write_report; `back` is a page that leads here, '' for none.

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
    return environment.get_template(PAGE).render(_content(runs), back=back)


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
    figures = [*_curves(runs), *_training_curves(run), *_result_figures(run)]
    return {
        "run": run,
        "runs": runs,
        "settings": settings(run.config),
        "scored_on": run.scored_on.describe(),
        "tables": [_table(runs, target) for target in _targets(run)],
        "sliced": _slices(run.metrics.get("sliced", {})),
        "figures": [{"title": t, "uri": uri(png)} for t, png in figures],
        "samples": [{"title": t, "uri": uri(png)} for t, png in _samples(run)],
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


def _targets(run: Run) -> list[str]:
    last = run.result("last")
    return list(last["test"]) if last else []


def _table(runs: Sequence[Run], target: str) -> dict[str, Any]:
    """The scores of one target, last models first."""
    task = tasks_lib.task_of_target(runs[0].config.tasks)[target]
    measures = _OF_CLASSES if task.is_categorical else _OF_VALUES
    rows = []
    for which in ("last", "best"):
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
    own = _brief(runs[0], last["test"][target]) if last else ""
    beside = f" ({own})" if own and own != runs[0].scored_on.brief else ""
    return {"target": target + beside, "heads": heads, "rows": rows}


def _brief(run: Run, scores: Mapping[str, Any]) -> str:
    """What a target is compared with: its own yardstick, else that of the run."""
    if "against" not in scores:
        return run.scored_on.brief
    return Yardstick(scores["split"], scores["against"]).brief


def _slices(sliced: Mapping[str, Any]) -> dict[str, Any]:
    """What the page says of slices; {} of a run without."""
    if not sliced:
        return {}
    compared = Yardstick(sliced["split"], sliced["against"]).describe()
    tables = slices.tables(sliced["slices"])
    return {"step": sliced["step"], "compared": compared, "tables": tables}


def _by_dimension(scores: Mapping[str, Any]) -> list[str]:
    return [number(row["ccc"]) for row in scores.get("by_dimension", {}).values()]


def number(value: float | None, share: bool = False) -> str:
    """A measure as the tables show it."""
    if value is None:
        return "n/a"
    return f"{100 * value:.2f} %" if share else f"{value:.4f}"


def _curves(runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    """The clean score of each target over the steps, one line a run."""
    for target in _targets(runs[0]):
        series, measure = {}, "ccc"
        for run in runs:
            rows = [row for row in run.history if target in row["test"]]
            if not rows:
                continue
            if "accuracy" in rows[0]["test"][target]:
                measure = "accuracy"
            values = [row["test"][target].get(measure) for row in rows]
            series[run.label] = Series([row["step"] for row in rows], values)
        last = runs[0].result("last")
        compared = _brief(runs[0], last["test"][target]) if last else ""
        label = f"{compared} {measure.replace('ccc', 'CCC')}"
        png = pictures.curves(series, label, percent=measure == "accuracy")
        yield f"{target}: {label} over training steps", png


def _training_curves(run: Run) -> Iterator[tuple[str, bytes]]:
    names = list(run.history[0]["train"]) if run.history else []
    losses = [name for name in names if name in _LOSSES]
    if losses:
        png = pictures.curves(_lines(run, losses), "mean over an evaluation's steps")
        yield "Losses in training", png
    noisy = [name for name in names if name.endswith("/accuracy")]
    if noisy:
        series = _lines(run, noisy) | _clean_lines(run)
        png = pictures.curves(series, "accuracy", dashed=noisy, percent=True)
        compared = f"{run.scored_on.brief} labels"
        yield f"Accuracy on noisy training labels (dashed) and {compared}", png


def _lines(run: Run, names: Iterable[str]) -> dict[str, Series]:
    steps = [row["step"] for row in run.history]
    return {
        n: Series(steps, [row["train"].get(n) for row in run.history]) for n in names
    }


def _clean_lines(run: Run) -> dict[str, Series]:
    rows = [row for row in run.history if row["test"]]
    steps = [row["step"] for row in rows]
    return {
        f"clean {target}": Series(steps, [r["test"][target]["accuracy"] for r in rows])
        for target, scores in (rows[0]["test"] if rows else {}).items()
        if "accuracy" in scores
    }


def _result_figures(run: Run) -> Iterator[tuple[str, bytes]]:
    """Confusion, calibration and values of the last model."""
    predictions = _predictions(run)
    last = run.result("last")
    tasks = tasks_lib.task_of_target(run.config.tasks)
    for target, scores in (last["test"] if last else {}).items():
        task = tasks[target]
        if task.is_categorical:
            png = pictures.confusion(task.classes, scores["confusion"])
            yield f"{target}: confusion of the last model", png
            png = pictures.reliability(scores["reliability"])
            yield f"{target}: reliability of the last model's confidence", png
        elif target in predictions:
            part = predictions[target]
            given = part.mask > 0
            png = pictures.scatter(
                part.target[given],
                part.prediction[given],
                task.dimensions,
                task.low,
                task.high,
            )
            yield f"{target}: predicted against true", png


def _predictions(run: Run) -> dict[str, scoring.Predictions]:
    path = os.path.join(run.folder, scoring.PREDICTIONS)
    return scoring.read_predictions(path) if os.path.exists(path) else {}


def _samples(run: Run) -> Iterator[tuple[str, bytes]]:
    """The first and the last grid of G_X."""
    folder = os.path.join(run.folder, run_folder.SAMPLES)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    names = sorted(name for name in names if name.endswith(".png"))
    for name in dict.fromkeys([*names[:1], *names[-1:]]):
        step = int(name.removesuffix(".png").split("-")[-1])
        with open(os.path.join(folder, name), "rb") as file:
            yield f"step {step}", file.read()


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

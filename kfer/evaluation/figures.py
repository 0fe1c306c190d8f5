"""The figures of a run's page: curves, confusion, calibration, values, samples."""

import os
from collections.abc import Iterable, Iterator, Sequence

from kfer import tasks as tasks_lib
from kfer.evaluation import pictures, scoring, verdict
from kfer.evaluation.pictures import Series
from kfer.evaluation.results import Run
from kfer.training import run_folder

_LOSSES = ("loss", "gan_loss", "discriminator_loss")


def of(runs: Sequence[Run]) -> list[tuple[str, bytes]]:
    """(title, PNG) of each figure.

    Args:
      runs: the first is the page's; the others stand beside it in the curves.
    """
    run = runs[0]
    return [
        *_curves(runs),
        *_training_curves(run),
        *_exported_figures(run),
        *_result_figures(run),
    ]


def _curves(runs: Sequence[Run]) -> Iterator[tuple[str, bytes]]:
    """The clean score of each target over the steps, one line a run."""
    for target in runs[0].targets:
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
        compared = runs[0].brief(last["test"][target]) if last else ""
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


def _exported_figures(run: Run) -> Iterator[tuple[str, bytes]]:
    """Calibration of the model that was judged, after its temperature."""
    found = run.result(verdict.EXPORTED)
    for target, scores in (found["test"] if found else {}).items():
        if "reliability" in scores:
            png = pictures.reliability(scores["reliability"])
            yield f"{target}: reliability of the exported model's confidence", png


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


def samples(run: Run) -> Iterator[tuple[str, bytes]]:
    """The first and the last grid of G_X."""
    folder = os.path.join(run.folder, run_folder.SAMPLES)
    names = os.listdir(folder) if os.path.isdir(folder) else []
    names = sorted(name for name in names if name.endswith(".png"))
    for name in dict.fromkeys([*names[:1], *names[-1:]]):
        step = int(name.removesuffix(".png").split("-")[-1])
        with open(os.path.join(folder, name), "rb") as file:
            yield f"step {step}", file.read()

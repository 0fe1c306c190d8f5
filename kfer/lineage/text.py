"""A lineage as text and as a picture."""

import datetime
import json
import os
import textwrap
from typing import Any

from kfer import methods
from kfer.lineage import store as lineage_lib
from kfer.lineage.store import Lineage, Step
from kfer.settings import config as config_lib
from kfer.storage import whole

_WIDTH = 38  # characters of a box
_BOX = (2.6, 0.8)  # of a step, in inches
_COLUMN, _ROW = 3.6, 1.4  # from box to box


def describe(lineage: Lineage) -> str:
    """Model, data sets with their label noise, trainings, packages and all steps."""
    lines = [f"model      {lineage.model_dir}", f"metadata   {lineage.metadata}"]
    last = lineage.steps[-1]
    lines.append(f"pipeline   {last.pipeline}, {last.node} on {_time(last)}")
    for _, notes in lineage.artifacts("ModelEvaluation"):
        lines.append(f"scores     {notes.get('summary', '')}")
        lines += _made_with(notes)
    for step in lineage.steps:
        if training := lineage_lib.training(step):
            lines += _training_lines(step, training)
    for step, notes in lineage.artifacts("Examples"):
        lines += _data_lines(step, notes)
    lines += ["", "steps"]
    return "\n".join([*lines, *(_step_line(step, lineage) for step in lineage.steps)])


def _made_with(notes: dict[str, Any]) -> list[str]:
    packages = json.loads(notes.get("versions", "{}"))
    shown = ", ".join(f"{name} {version}" for name, version in packages.items())
    return [
        f"commit     {notes.get('commit') or 'not in git'}",
        f"config     {notes.get('config_hash', '')}",
        f"data       {notes.get('content_hash', '')}",
        f"packages   {shown}",
    ]


def _training_lines(step: Step, training: dict[str, Any]) -> list[str]:
    config = methods.resolve_tasks(config_lib.from_dict(training["experiment"]))
    length = f"{training['steps']} steps" if training["steps"] else ""
    length = length or f"{config.epochs} epochs"
    return [
        "",
        f"training   {step.node}: {config.name}, method {config.method}, recipe "
        f"{config.recipe.name}, {length}, seed {config.seed}",
        f"  config   {config_lib.config_hash(config)}",
        f"  code     {training['code_version']}",
        f"  learns   {', '.join(task.column for task in config.tasks)}",
        f"  ended    {_time(step)}",
    ]


def _data_lines(step: Step, notes: dict[str, Any]) -> list[str]:
    lines = [
        "",
        f"data set   {notes.get('dataset', '')} by {step.node}: "
        f"{notes.get('summary', '').split(';')[0]}",
        f"  hash     {notes.get('content_hash', '')}",
        f"  commit   {notes.get('commit') or 'not in git'}",
    ]
    for column, row in json.loads(notes.get("noise", "{}")).items():
        lines.append(f"  labels   {column}: {_noise(row)}")
    return lines


def _noise(row: dict[str, Any]) -> str:
    if "achieved" in row:
        asked = row.get("requested")
        return f"{100 * row['achieved']:.2f} % of {row['compared']} are wrong" + (
            "" if asked is None else f", {100 * asked:.2f} % were asked for"
        )
    return f"RMSE {', '.join(f'{value:.3f}' for value in row['rmse'])}"


def _step_line(step: Step, lineage: Lineage) -> str:
    names = {other.number: other.node for other in lineage.steps}
    parents = ", ".join(f"{names[n]} {n}" for n in step.parents)
    arrow = f"<- {parents}" if parents else ""
    return f"  {step.number:>4}  {step.node:<26} {arrow}".rstrip()


def _time(step: Step) -> str:
    moment = datetime.datetime.fromtimestamp(step.time / 1000, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def layers(lineage: Lineage) -> dict[int, int]:
    """Step -> how many steps lie at most between it and a step without parents."""
    found: dict[int, int] = {}
    for step in lineage.steps:
        found[step.number] = max((found[p] + 1 for p in step.parents), default=0)
    return found


def draw(lineage: Lineage, path: str) -> None:
    """Writes the steps as boxes, parents at the left, into a picture file.

    Raises:
      UserError: the disk refused.
    """
    from matplotlib.figure import Figure

    places = _places(lineage)
    width = max(x for x, _ in places.values()) + _COLUMN
    height = max(-y for _, y in places.values()) + _ROW
    figure = Figure((width, height), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for step in lineage.steps:
        _draw_box(axes, places[step.number], _box_text(step))
        for parent in step.parents:
            _draw_arrow(axes, places[parent], places[step.number])
    axes.set_xlim(-_COLUMN / 2, width - _COLUMN / 2)
    axes.set_ylim(-height + _ROW / 2, _ROW / 2)
    axes.axis("off")
    with whole.writing(path) as file:
        figure.savefig(file, format=os.path.splitext(path)[1].removeprefix("."))


def _places(lineage: Lineage) -> dict[int, tuple[float, float]]:
    """Step -> the middle of its box in inches, a column for each layer."""
    places: dict[int, tuple[float, float]] = {}
    rows: dict[int, int] = {}
    for number, layer in layers(lineage).items():
        row = rows.get(layer, 0)
        rows[layer] = row + 1
        # Lower in every other column, so that long arrows pass between boxes.
        places[number] = (_COLUMN * layer, -_ROW * (row + layer % 2 / 2))
    return places


def _draw_box(axes: Any, place: tuple[float, float], text: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    corner, style = (x - _BOX[0] / 2, y - _BOX[1] / 2), "round,pad=0,rounding_size=0.1"
    axes.add_patch(
        FancyBboxPatch(corner, *_BOX, style, facecolor="#eef3fa", edgecolor="#5577aa")
    )
    axes.text(x, y, text, ha="center", va="center", fontsize=8)


def _draw_arrow(
    axes: Any, begin: tuple[float, float], end: tuple[float, float]
) -> None:
    arrow = {"arrowstyle": "-|>", "color": "#888888", "shrinkA": 0, "shrinkB": 0}
    start, stop = (begin[0] + _BOX[0] / 2, begin[1]), (end[0] - _BOX[0] / 2, end[1])
    axes.annotate("", xy=stop, xytext=start, arrowprops=arrow, zorder=0)


def _box_text(step: Step) -> str:
    notes = [row["summary"] for row in step.outputs.values() if "summary" in row]
    if training := lineage_lib.training(step):
        experiment = training["experiment"]
        notes = [f"{experiment['name']} {experiment['method']}"]
    lines = textwrap.wrap(notes[0], _WIDTH)[:3] if notes else []
    return "\n".join([step.node, *lines])

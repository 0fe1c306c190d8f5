"""A lineage as text and as a picture."""

import datetime
import json
import textwrap
from typing import Any

from kfer import config as config_lib
from kfer import lineage as lineage_lib
from kfer import methods
from kfer.lineage import Lineage, Step

_WIDTH = 34  # characters of a box


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
    parents = ", ".join(names[number] for number in step.parents)
    return f"  {step.number:>4}  {step.node:<26}" + (
        f" <- {parents}" if parents else ""
    )


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
    """Writes the steps as boxes, parents at the left, into a picture file."""
    from matplotlib.figure import Figure

    places: dict[int, tuple[float, float]] = {}
    heights: dict[int, int] = {}
    for number, layer in layers(lineage).items():
        heights[layer] = heights.get(layer, 0) + 1
        places[number] = (3.6 * layer, -1.7 * heights[layer])
    width, height = len(heights) * 3.6, max(heights.values()) * 1.7
    figure = Figure((width, max(height, 2.0)), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for step in lineage.steps:
        for parent in step.parents:
            arrow = {"arrowstyle": "->", "color": "#888888", "shrinkA": 60}
            arrow["shrinkB"] = 60
            axes.annotate(
                "", xy=places[step.number], xytext=places[parent], arrowprops=arrow
            )
    for step in lineage.steps:
        box = {"boxstyle": "round", "facecolor": "#eef3fa", "edgecolor": "#5577aa"}
        style = {"ha": "center", "va": "center", "fontsize": 8, "bbox": box}
        axes.text(*places[step.number], _box_text(step), **style)
    axes.set_xlim(-1.8, width - 1.8)
    axes.set_ylim(-1.7 * max(heights.values()) - 0.9, -0.8)
    axes.axis("off")
    figure.savefig(path)


def _box_text(step: Step) -> str:
    notes = [row["summary"] for row in step.outputs.values() if "summary" in row]
    if training := lineage_lib.training(step):
        experiment = training["experiment"]
        notes = [f"{experiment['name']} {experiment['method']}"]
    lines = textwrap.wrap(notes[0], _WIDTH)[:3] if notes else []
    return "\n".join([step.node, *lines])

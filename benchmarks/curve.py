"""The curve of a benchmark of accuracy: every seed over seconds and over PFLOP."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kfer.storage import whole


class Goal(NamedTuple):
    """What is to be reached, dashed in the picture."""

    reach: float  # accuracy
    within: float  # PFLOP


def points(history: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, float]]:
    """(seconds, PFLOP, accuracy in percent) of each evaluation of a run.

    Args:
      history: of kfer.training.run_folder.read_history; rows without a score, or of
        training whose cost was not noted, are left out.
    """
    return [
        (row["total_seconds"], row["pflop"], 100 * scores["accuracy"])
        for row in history
        for scores in (row["test"] or {}).values()
        if row.get("pflop") is not None and "accuracy" in scores
    ]


def write(
    path: str,
    title: str,
    by_seed: Mapping[str, Sequence[tuple[float, float, float]]],
    goal: Goal,
) -> None:
    """A PNG of two panels, whole or not at all.

    Args:
      path: of the file.
      title: above it.
      by_seed: name -> `points`.
      goal: of the benchmark.
    """
    from matplotlib.figure import Figure  # not pyplot: it keeps every figure

    figure = Figure((9, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for column, (axes, label) in enumerate(
        zip(panels, ("seconds of training", "PFLOP"), strict=True)
    ):
        for name, line in by_seed.items():
            cost, accuracy = [p[column] for p in line], [p[2] for p in line]
            axes.plot(cost, accuracy, marker=".", label=name)
        axes.axhline(100 * goal.reach, color="grey", linestyle="--", linewidth=1)
        axes.set(xlabel=label)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
    panels[1].axvline(goal.within, color="grey", linestyle="--", linewidth=1)
    panels[0].set(ylabel="test accuracy [%]")
    panels[0].legend(fontsize="small")
    figure.suptitle(title, fontsize="medium")
    figure.savefig(buffer := io.BytesIO(), format="png", dpi=90)
    whole.write_bytes(path, buffer.getvalue())

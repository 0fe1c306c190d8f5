"""Pictures for the inspection page, as PNG bytes or marked pixels."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kfer.data.record import Column
from kfer.images.alignment import Point

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _figure(width: float, height: float) -> "Figure":
    # Not pyplot: it keeps every figure, and a global back end.
    from matplotlib.figure import Figure

    return Figure((width, height), layout="constrained")


def _png(figure: "Figure") -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80)
    return buffer.getvalue()


def histogram(names: Sequence[str], counts: Sequence[int]) -> bytes:
    """Bars of records by class."""
    figure = _figure(4.5, 0.35 * len(names) + 0.6)
    axes = figure.subplots()
    bars = axes.barh(range(len(names)), counts, color="#4c78a8")
    axes.bar_label(bars, padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    return _png(figure)


def scatter(values: np.ndarray, column: Column) -> bytes:
    """Points [n, 2] of a column in its range, see-through where there are many."""
    figure = _figure(4, 4)
    axes = figure.subplots()
    alpha = 0.2 if len(values) > 500 else 0.8
    axes.plot(values[:, 0], values[:, 1], ".", alpha=alpha, markersize=4)
    axes.set(xlabel=column.dimensions[0], ylabel=column.dimensions[1], aspect="equal")
    margin = 0.05 * (column.high - column.low)
    limits = (column.low - margin, column.high + margin)
    axes.set(xlim=limits, ylim=limits)
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.axvline(0, color="grey", linewidth=0.5)
    return _png(figure)


def table(names: Sequence[str], values: np.ndarray) -> bytes:
    """A square table of shares in [0, 1], coloured."""
    figure = _figure(0.9 * len(names) + 1.5, 0.6 * len(names) + 1)
    axes = figure.subplots()
    axes.imshow(values, vmin=0, vmax=1, cmap="Blues")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value > 0.6 else "black"
        axes.text(column, row, f"{value:.3f}", ha="center", va="center", color=colour)
    return _png(figure)


def marked(
    picture: np.ndarray, eyes: Sequence[Point], box: Sequence[float], side: int
) -> np.ndarray:
    """The picture with its eyes and box drawn, at most `side` pixels wide and high.

    Args:
      picture: uint8 [H, W, 3] RGB.
      eyes: (x, y) in pixels, or none.
      box: x, y, width, height in pixels, or none.
      side: largest side of the result.
    """
    scale = side / max(picture.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how)
    for x, y in eyes:
        centre = (round((x + 0.5) * scale), round((y + 0.5) * scale))
        cv2.circle(small, centre, 3, (0, 255, 0), 1, cv2.LINE_AA)
    if len(box) == 4:
        x, y, width, height = (round(v * scale) for v in box)
        cv2.rectangle(small, (x, y), (x + width, y + height), (255, 200, 0), 1)
    return small
